/** The main job, with clients that we did not write: points 1 to 6 of a new user's first day. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  DEBIAN_PYTHON,
  type ServerProcess,
  enrollByOpenssl,
  holdfast,
  mosquittoPub,
  mosquittoTls,
  run,
  signPayload,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

interface ReadingLine {
  readonly index: number;
  readonly topic: string;
  readonly payload: string;
}

function jsonLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

async function addDevice(server: ServerProcess, id: string): Promise<string> {
  const added = await server.cli(['device', 'add', id, '--class', 'sensor', '--json']);
  assert.equal(added.code, 0, added.stderr);
  return (JSON.parse(added.stdout) as { claim: { text: string } }).claim.text;
}

async function enrollDevice(server: ServerProcess, id: string, out: string): Promise<string> {
  const claim = await addDevice(server, id);
  const enrolled = await holdfast(['device', 'enroll', '--claim', '-', '--out', out], {
    input: claim,
  });
  assert.equal(enrolled.code, 0, enrolled.stderr);
  return claim;
}

async function readings(server: ServerProcess, id: string): Promise<ReadingLine[]> {
  const shown = await server.cli(['readings', id, '--json', '--limit', '1000']);
  assert.equal(shown.code, 0, shown.stderr);
  return jsonLines(shown.stdout);
}

async function refusalCodes(server: ServerProcess): Promise<string[]> {
  const shown = await server.cli(['refusals', '--json', '--limit', '1000']);
  assert.equal(shown.code, 0, shown.stderr);
  return jsonLines<{ code: string }>(shown.stdout).map(({ code }) => code);
}

/** What must stand nowhere, in each form in which it could be written. */
function secretsOf(bundle: string, claim: string): Buffer[] {
  const keys = ['payload.key', 'command.key'].map((name) =>
    Buffer.from(readFileSync(join(bundle, name), 'utf8').trim(), 'hex'),
  );
  const secret = Buffer.from(claim.split('/').at(-1) ?? '', 'base64url');
  assert.equal(secret.length, 32);
  const texts = [ID, TOPIC, 'd/meter-1', 'volume'].flatMap((text) => [
    Buffer.from(text, 'utf8'),
    Buffer.from(text, 'utf16le'),
    Buffer.from(Buffer.from(text).toString('hex')),
  ]);
  const forms = [...keys, secret].flatMap((key) => [
    key,
    Buffer.from(key.toString('hex')),
    Buffer.from(key.toString('base64').replaceAll('=', '')),
    Buffer.from(key.toString('base64url')),
  ]);
  return [...texts, ...forms];
}

/** Looks for secrets in every file, by their bytes and by what `strings` shows. */
async function assertSealed(dataDir: string, secrets: readonly Buffer[]): Promise<void> {
  for (const name of readdirSync(dataDir)) {
    const path = join(dataDir, name);
    const bytes = readFileSync(path);
    for (const secret of secrets) {
      assert.ok(!bytes.includes(secret), `${name} shows ${secret.toString('latin1')}`);
    }
    const shown = await run('strings', ['-a', '-n', '4', path]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.doesNotMatch(
      shown.stdout,
      /thermostat|meter-1|telemetry|"temp"|sensor|E_VERIFY|PRIVATE/,
      name,
    );
  }
}

const ID = 'thermostat-1';
const TOPIC = `d/${ID}/telemetry`;

test('from nothing to a verified, sealed and proven reading', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const bundle = join(folder, ID);
  const server = await startServer(t, { dataDir });
  const { broker: port } = server.ports;
  const pub = (payload: string, topic = TOPIC, id = ID): ReturnType<typeof mosquittoPub> =>
    mosquittoPub({ bundle, port, id, topic, payload });

  await t.test('the start prints where things are, and keeps secrets to their owner', () => {
    const stdout = server.output.stderr;
    for (const wanted of [
      'mqtts://localhost:',
      'https://localhost:',
      'holdfast login',
      'device add',
    ]) {
      assert.ok(stdout.includes(wanted), `${wanted} in:\n${stdout}`);
    }
    assert.match(stdout, /([0-9A-F]{2}:){31}[0-9A-F]{2}|[0-9a-f]{64}/);
    assert.equal(statSync(dataDir).mode & 0o777, 0o700);
    for (const name of readdirSync(dataDir)) {
      assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
    }
  });

  const claim = await enrollDevice(server, ID, bundle);

  await t.test('the bundle has what a client needs, and a claim works once', async () => {
    const names = [
      'ca.crt',
      'client.crt',
      'client.key',
      'payload.key',
      'server.pin',
      'holdfast.json',
    ];
    for (const name of names) assert.ok(existsSync(join(bundle, name)), name);
    assert.equal(statSync(join(bundle, 'client.key')).mode & 0o777, 0o600);
    assert.equal(statSync(join(bundle, 'payload.key')).mode & 0o777, 0o600);
    const out = join(folder, 'thief');
    const again = await holdfast(['device', 'enroll', '--claim', '-', '--out', out], {
      input: claim,
    });
    assert.notEqual(again.code, 0);
    assert.ok(!existsSync(out));
    await waitFor('the refusal', async () =>
      (await refusalCodes(server)).includes('E_ENROLL_CLAIM_USED'),
    );
  });

  await t.test('mosquitto_pub publishes a signed reading, and it arrives', async () => {
    const payload = signPayload(bundle, { ctr: 1, temp: 23.5, ts: Date.now() });
    const published = await pub(payload);
    assert.equal(published.code, 0, published.stderr);
    const reading = (await readings(server, ID)).at(-1);
    assert.equal(reading?.payload, payload);
    assert.equal(reading?.topic, TOPIC);
  });

  await t.test('Python publishes whatever JSON it can print, and each is verified', async () => {
    const script = join(import.meta.dirname, 'publish.py');
    const before = (await readings(server, ID)).length;
    const published = await run(DEBIAN_PYTHON, [script, bundle, String(port), ID, '1000']);
    assert.equal(published.code, 0, published.stderr);
    const sent = jsonLines<string>(published.stdout);
    assert.ok(sent.length >= 200, published.stderr);
    const received = (await readings(server, ID)).slice(before).map(({ payload }) => payload);
    // Not deepEqual: its report of 300 payloads helps nobody.
    assert.deepEqual(
      sent.filter((payload) => !received.includes(payload)),
      [],
      published.stderr,
    );
    assert.equal(received.length, sent.length);
  });

  await t.test(
    'what is tampered, replayed, stale or spoofed is refused, and the peer cannot tell',
    async () => {
      const before = (await readings(server, ID)).length;
      const nowMs = Date.now();
      const good = signPayload(bundle, { ctr: nowMs, temp: 1 });
      const attempts: [code: string, payload: string, topic: string][] = [
        ['E_VERIFY_SIG', good.replace('"temp":1', '"temp":2'), TOPIC],
        ['E_VERIFY_REPLAY', signPayload(bundle, { ctr: 1, temp: 23.5 }), TOPIC],
        [
          'E_VERIFY_STALE',
          signPayload(bundle, { ctr: nowMs + 1, ts: nowMs - 8 * 86_400_000 }),
          TOPIC,
        ],
        ['E_VERIFY_FUTURE', signPayload(bundle, { ctr: nowMs + 2, ts: nowMs + 3_600_000 }), TOPIC],
        ['E_VERIFY_SIG_MISSING', '{"ctr": 1, "temp": 1}', TOPIC],
        [
          'E_VERIFY_SIG_FORM',
          good.replace(/"sig":"[0-9a-f]*"/, (sig) => sig.toUpperCase().replace('SIG', 'sig')),
          TOPIC,
        ],
        ['E_VERIFY_JSON', '{"ctr": 1, "temp": NaN}', TOPIC],
        ['E_VERIFY_DUPLICATE_KEY', '{"ctr": 1, "a": 1, "a": 2}', TOPIC],
        ['E_AUTHORIZE_PUBLISH', good, 'd/thermostat-2/telemetry'],
        ['E_AUTHORIZE_PUBLISH', good, `d/${ID}/cmd/set`],
      ];
      for (const [code, payload, topic] of attempts) {
        const published = await pub(payload, topic);
        assert.equal(published.code, 0, `${code}: ${published.stderr}`);
        const codes = await refusalCodes(server);
        assert.equal(codes.at(-1), code, payload);
      }
      assert.equal((await readings(server, ID)).length, before);
    },
  );

  await t.test('a foreign client id is refused, and explained to the operator', async () => {
    const published = await pub(
      signPayload(bundle, { ctr: Date.now() + 9 }),
      TOPIC,
      'someone-else',
    );
    assert.notEqual(published.code, 0);
    assert.equal((await refusalCodes(server)).at(-1), 'E_SESSION_CLIENT_ID');
    const shown = await server.cli(['refusals', '--limit', '1']);
    assert.match(shown.stdout, /client id/i);
  });

  await t.test('the same enrollment works with openssl and curl alone', async () => {
    const id = 'meter-1';
    const text = await addDevice(server, id);
    const out = join(folder, id);
    const enrolled = await enrollByOpenssl(text, folder);
    assert.equal(enrolled.code, 0, enrolled.stderr);
    const payload = signPayload(out, { ctr: 1, volume: 12 });
    const topic = `d/${id}/telemetry`;
    const published = await mosquittoPub({ bundle: out, port, id, topic, payload });
    assert.equal(published.code, 0, published.stderr);
    assert.equal((await readings(server, id)).at(-1)?.payload, payload);
  });

  await t.test('a command reaches the device, signed', async () => {
    const args = [
      ...mosquittoTls(bundle, port),
      '-i',
      ID,
      '-t',
      `d/${ID}/cmd/#`,
      '-q',
      '1',
      '-C',
      '1',
      '-W',
      '60',
      '-v',
    ];
    const heard = run('mosquitto_sub', args);
    const sent = await waitFor('the command to be delivered', async () => {
      const command = await server.cli(['device', 'command', ID, 'set', '{"target": 21}']);
      assert.equal(command.code, 0, command.stderr);
      return (await Promise.race([heard, Promise.resolve(undefined)])) ?? undefined;
    });
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, new RegExp(`^d/${ID}/cmd/set \\{.*"sig": "[0-9a-f]{64}"`));
    assert.match(sent.stdout, /"target": 21/);
  });

  const secrets = secretsOf(bundle, claim);
  await t.test(
    "the running server's data folder shows no name, topic, payload or key",
    async () => {
      assert.ok(readdirSync(dataDir).includes('log.db-wal'), 'what is not checkpointed counts too');
      await assertSealed(dataDir, secrets);
    },
  );

  await t.test('a clean stop and a second start find everything again', async () => {
    const before = await readings(server, ID);
    const ended = await server.stop('SIGINT');
    assert.equal(ended.code, 0, server.output.stderr);
    const second = await startServer(t, { dataDir });
    assert.deepEqual(await readings(second, ID), before);
    assert.ok(!second.output.stderr.includes(claim));
    const replayed = await mosquittoPub({
      bundle,
      port: second.ports.broker,
      id: ID,
      topic: TOPIC,
      payload: before.at(-1)?.payload ?? '',
    });
    assert.equal(replayed.code, 0);
    assert.equal(
      (await refusalCodes(second)).at(-1),
      'E_VERIFY_REPLAY',
      'the window survived the restart',
    );
    await second.stop();
  });

  await t.test('the log verifies offline', async () => {
    const verified = await holdfast(['audit', 'verify', '--data', dataDir]);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    const key = readFileSync(join(dataDir, 'log.pub'), 'utf8').trim();
    const asJson = await holdfast(['audit', 'verify', '--data', dataDir, '--key', key, '--json']);
    const report = JSON.parse(asJson.stdout) as {
      ok: boolean;
      messages: number;
      findings: unknown[];
    };
    assert.ok(report.ok);
    assert.ok(report.messages > 200);
    assert.deepEqual(report.findings, []);
  });

  await t.test(
    "the stopped server's data folder shows no name, topic, payload or key",
    async () => {
      await assertSealed(dataDir, secrets);
    },
  );
});
