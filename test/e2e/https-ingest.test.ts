/** Devices that speak HTTPS, and devices with an API key, by programs that we did not write. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from '@holdfast/device';
import {
  DEBIAN_PYTHON,
  type ServerProcess,
  holdfast,
  mosquittoPub,
  run,
  signPayload,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const SIGN = join(import.meta.dirname, '../../examples/sign.py');

interface CurlAnswer {
  readonly status: number;
  readonly body: string;
}

interface Curl {
  readonly bundle: string;
  readonly port: number;
  readonly path: string;
  readonly body: string;
  readonly type?: string;
  readonly certificate?: boolean;
  readonly more?: readonly string[];
}

/** Sends a body by curl, as docs/guides/https-ingest.md shows it. */
async function curl({ bundle, port, path, body, ...options }: Curl): Promise<CurlAnswer> {
  const { type = 'application/json', certificate = true, more = [] } = options;
  const file = (name: string): string => join(bundle, name);
  const identity = certificate ? ['--cert', file('client.crt'), '--key', file('client.key')] : [];
  const args = ['--silent', '--show-error', '--cacert', file('ca.crt'), ...identity, ...more];
  const send = ['--header', `content-type: ${type}`, '--data-binary', '@-'];
  const url = `https://localhost:${port}${path}`;
  const { code, stdout, stderr } = await run(
    'curl',
    [...args, ...send, '--write-out', '\n%{http_code}', url],
    { input: body },
  );
  if (code !== 0) return { status: 0, body: stderr };
  const at = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at).trim() };
}

async function enroll(server: ServerProcess, id: string, out: string): Promise<string> {
  const added = await server.cli(['device', 'add', id, '--class', 'gateway', '--json']);
  assert.equal(added.code, 0, added.stderr);
  const { claim } = JSON.parse(added.stdout) as { claim: { text: string } };
  const enrolled = await holdfast(['device', 'enroll', '--claim', '-', '--out', out], {
    input: claim.text,
  });
  assert.equal(enrolled.code, 0, enrolled.stderr);
  return out;
}

async function countersOf(server: ServerProcess, id: string): Promise<number[]> {
  const client = server.client();
  try {
    const readings = await client.readings(id, { limit: 1_000 });
    return readings.map(({ payload }) => (JSON.parse(payload) as { ctr: number }).ctr).reverse();
  } finally {
    client.close();
  }
}

function batch(bundle: string, counters: readonly number[]): string {
  return counters.map((ctr) => `${signPayload(bundle, { ctr, temp: 20 })}\n`).join('');
}

async function setUp(t: TestContext) {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const server = await startServer(t, { dataDir });
  return { folder, dataDir, server };
}

test('curl sends readings over HTTPS', async (t) => {
  const { folder, server } = await setUp(t);
  const bundle = await enroll(server, 'pump-1', join(folder, 'pump-1'));
  const common = { bundle, port: server.ports.api, path: '/v1/d/pump-1/telemetry' };
  const type = 'application/x-ndjson';

  const single = await curl({ ...common, body: signPayload(bundle, { ctr: 1, temp: 20 }) });
  assert.deepEqual(single, { status: 200, body: '{"accepted":1}' });
  const many = await curl({ ...common, type, body: batch(bundle, [2, 3, 4]) });
  assert.deepEqual(many, { status: 200, body: '{"accepted":3}' });
  const part = await curl({ ...common, type, body: batch(bundle, [4, 5]) });
  assert.deepEqual(part, { status: 422, body: '{"accepted":1,"refused":[1]}' });
  assert.deepEqual(await countersOf(server, 'pump-1'), [1, 2, 3, 4, 5]);

  const input = '{"temp": 20.5}\n{"temp": 20.6}\n';
  const signed = await run(DEBIAN_PYTHON, [SIGN, bundle], { input });
  assert.equal(signed.code, 0, signed.stderr);
  const guided = await curl({ ...common, type, body: signed.stdout });
  assert.deepEqual(guided, { status: 200, body: '{"accepted":2}' });

  const body = batch(bundle, [6]);
  const other = await curl({ ...common, path: '/v1/d/pump-2/telemetry', body });
  assert.equal(other.status, 404);
  const nobody = await curl({ ...common, body, certificate: false });
  assert.equal(nobody.status, 401);
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign);
  const made = await run('openssl', [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1'.split(' '),
    ...`-subj /CN=pump-1 -keyout ${foreign}/client.key -out ${foreign}/client.crt`.split(' '),
  ]);
  assert.equal(made.code, 0, made.stderr);
  writeFileSync(join(foreign, 'ca.crt'), readFileSync(join(bundle, 'ca.crt')));
  const stranger = await curl({ ...common, bundle: foreign, body });
  assert.deepEqual(stranger, nobody, 'whatever is wrong with a certificate, the answer is one');
  assert.equal((await countersOf(server, 'pump-1')).length, 7);
});

test('an API key: mosquitto_pub -P, curl and the SDK; required, rotated, removed', async (t) => {
  const { folder, server } = await setUp(t);
  const bundle = await enroll(server, 'pump-1', join(folder, 'pump-1'));
  const { broker: port, api } = server.ports;
  const topic = 'd/pump-1/telemetry';
  let ctr = 0;
  const publish = async (more: readonly string[]): Promise<number | null> => {
    ctr += 1;
    const payload = signPayload(bundle, { ctr });
    return (await mosquittoPub({ bundle, port, id: 'pump-1', topic, payload, more })).code;
  };
  const post = async (more: readonly string[]): Promise<number> => {
    ctr += 1;
    const body = signPayload(bundle, { ctr });
    const path = '/v1/d/pump-1/telemetry';
    return (await curl({ bundle, port: api, path, body, more })).status;
  };
  const createKey = async (name: string): Promise<{ key: string; header: string }> => {
    const out = join(folder, name);
    const args = ['device', 'api-key', 'create', 'pump-1', '--out', out];
    const created = await server.cli(args);
    assert.equal(created.code, 0, created.stderr);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    const key = readFileSync(out, 'utf8').trim();
    assert.ok(!created.stdout.includes(key));
    const header = `${out}.header`;
    writeFileSync(header, `x-holdfast-api-key: ${key}\n`, { mode: 0o600 });
    return { key, header };
  };
  const password = (key: string): string[] => ['-u', 'pump-1', '-P', key];

  assert.equal(await publish([]), 0);
  const first = await createKey('first.key');
  const rules = ['class', 'set', 'gateway', '--api-key'];
  const required = await server.cli([...rules, 'required']);
  assert.equal(required.code, 0, required.stderr);

  assert.equal(await publish([]), 5, 'mosquitto tells the return code: not authorized');
  assert.equal(await publish(password(first.key)), 0);
  assert.equal(await publish([...password(first.key), '-V', '5']), 0);
  assert.equal(await publish(password(`${first.key.slice(0, -1)}_`)), 4);
  assert.equal(await post([]), 401);
  assert.equal(await post(['--header', `@${first.header}`]), 200);

  const second = await createKey('second.key');
  assert.deepEqual(
    [await publish(password(first.key)), await publish(password(second.key))],
    [0, 0],
  );
  const listed = await server.cli(['device', 'api-key', 'list', 'pump-1', '--json']);
  const ids = listed.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  assert.equal(ids.length, 2);
  const removed = await server.cli(['device', 'api-key', 'remove', 'pump-1', ids[0] ?? '']);
  assert.equal(removed.code, 0, removed.stderr);
  assert.deepEqual(
    [await publish(password(first.key)), await publish(password(second.key))],
    [4, 0],
  );

  // The SDK proves the key by MQTT 5, and never sends it.
  writeFileSync(join(bundle, 'api.key'), `${second.key}\n`, { mode: 0o600 });
  const device = connect({ bundle });
  await device.publish({ temp: 21 });
  await device.close();

  // What the operator sees, and what stands nowhere.
  const refusals = await server.cli(['refusals', '--json', '--limit', '1000']);
  assert.match(refusals.stdout, /E_SESSION_API_KEY/u);
  const acts = await server.cli(['audit', 'acts', '--json', '--limit', '1000']);
  for (const act of ['device.api-key', 'device.api-key-remove', 'class.set']) {
    assert.ok(acts.stdout.includes(`"${act}"`), act);
  }
  const told = refusals.stdout + acts.stdout + server.output.stdout + server.output.stderr;
  for (const { key } of [first, second]) assert.ok(!told.includes(key.slice(4)));
});

test('what was answered with 200 is there after SIGKILL, once, and a retry completes it', async (t) => {
  const { folder, dataDir, server: started } = await setUp(t);
  let server = started;
  const bundle = await enroll(server, 'pump-1', join(folder, 'pump-1'));
  const type = 'application/x-ndjson';
  const path = '/v1/d/pump-1/telemetry';
  const send = (body: string): Promise<CurlAnswer> =>
    curl({ bundle, port: server.ports.api, path, type, body });
  const stored = new Set<number>();
  let ctr = 0;
  const nextCounters = (): number[] => Array.from({ length: 40 }, () => (ctr += 1));
  for (let kill = 0; kill < 3; kill += 1) {
    const counters = nextCounters();
    assert.deepEqual(await send(batch(bundle, counters)), { status: 200, body: '{"accepted":40}' });
    for (const one of counters) stored.add(one);
    const cut = nextCounters();
    const cutBatch = batch(bundle, cut);
    const answer = send(cutBatch);
    await server.stop('SIGKILL');
    const { status } = await answer;
    assert.ok(status === 0 || status === 200, `nothing is told in part: ${status}`);
    if (status === 200) for (const one of cut) stored.add(one);
    server = await startServer(t, { dataDir });
    const found = await countersOf(server, 'pump-1');
    assert.deepEqual(
      [...stored].filter((one) => !found.includes(one)),
      [],
    );
    // The device that heard nothing sends the same again: the rest is stored, and nothing twice.
    assert.ok([200, 422].includes((await send(cutBatch)).status));
    for (const one of cut) stored.add(one);
    const all = await waitFor('all of it', async () => {
      const now = await countersOf(server, 'pump-1');
      return now.length >= stored.size ? now : undefined;
    });
    assert.deepEqual(
      all.toSorted((a, b) => a - b),
      [...stored].sort((a, b) => a - b),
    );
  }
  await server.stop();
  const verified = await holdfast(['audit', 'verify', '--data', dataDir]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});
