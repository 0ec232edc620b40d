/** Who gets in: every way past the TLS gate, tried with OpenSSL and mosquitto. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client } from '@holdfast/client';
import {
  type Run,
  type ServerProcess,
  collect,
  holdfast,
  mosquittoPub,
  mosquittoTls,
  run,
  runningMs,
  signPayload,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

/** Runs an attempt, and expects one more refusal with this code. */
async function expectRefusal<T>(
  client: Client,
  code: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const before = (await client.refusals({ limit: 1 }))[0]?.index ?? -1;
  const result = await attempt();
  await waitFor(`a refusal ${code}`, async () =>
    (await client.refusals({ limit: 1_000 })).some(
      (refusal) => refusal.index > before && refusal.code === code,
    ),
  );
  return result;
}

async function enroll(server: ServerProcess, id: string, out: string): Promise<void> {
  const added = await server.cli(['device', 'add', id, '--class', 'sensor', '--json']);
  assert.equal(added.code, 0, added.stderr);
  const { text } = (JSON.parse(added.stdout) as { claim: { text: string } }).claim;
  const enrolled = await holdfast(['device', 'enroll', '--claim', '-', '--out', out], {
    input: text,
  });
  assert.equal(enrolled.code, 0, enrolled.stderr);
}

/** The connections of the broker that its process still has, whatever the peer does. proc(5) */
function heldSockets({ ports }: ServerProcess): number {
  const port = ports.broker.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((table) => readFileSync(table, 'utf8').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state, , , , , , inode]) => {
      const isListening = state === '0A';
      return local?.endsWith(`:${port}`) === true && !isListening && inode !== '0';
    }).length;
}

/** A CONNECT of MQTT 3.1.1 for a client id, as bytes. */
function connectPacket(id: string): Buffer {
  const body = Buffer.concat([
    Buffer.from('00044d51545404020000', 'hex'),
    Buffer.from([0, id.length]),
    Buffer.from(id),
  ]);
  body.writeUInt16BE(60, 8);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

/** Who is refused hears nothing, but the end of the connection; this only ends what hangs. */
const SILENCE_MS_MAX = 30_000;

/** Sends CONNECT through `openssl s_client` and gives what came back. */
async function sClient(args: readonly string[], id: string): Promise<Run> {
  const child = spawn('openssl', ['s_client', '-quiet', '-no_ign_eof', ...args], { stdio: 'pipe' });
  child.stdin.on('error', () => {});
  const chunks: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    // Whoever is let in has its answer, and may go.
    if (Buffer.concat(chunks).length >= CONNACK.length) child.stdin.end();
  });
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  child.stdin.write(connectPacket(id));
  const timer = setTimeout(() => child.stdin.end(), SILENCE_MS_MAX);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (...end) => resolve(end));
  });
  clearTimeout(timer);
  return {
    code,
    signal,
    stdout: Buffer.concat(chunks).toString('latin1'),
    stderr: Buffer.concat(errors).toString('latin1'),
  };
}

const CONNACK = '\x20\x02\x00\x00';
const ID = 'pump-1';

test('the TLS gate', async (t) => {
  const folder = temporaryFolder(t);
  const server = await startServer(t, { dataDir: join(folder, 'data') });
  const client = server.client();
  t.after(() => client.close());
  const port = server.ports.broker;
  const bundle = join(folder, ID);
  await enroll(server, ID, bundle);
  const file = (name: string): string => join(bundle, name);
  const where = [
    '-connect',
    `localhost:${port}`,
    '-CAfile',
    file('ca.crt'),
    '-verify_return_error',
  ];
  const own = ['-cert', file('client.crt'), '-key', file('client.key')];

  await t.test('its own device is let in, by a full handshake and by a resumed one', async () => {
    const session = join(folder, 'good.session');
    const full = await sClient([...where, ...own, '-sess_out', session], ID);
    assert.equal(full.stdout, CONNACK, full.stderr);
    assert.ok(existsSync(session));
    const resumed = await sClient([...where, ...own, '-sess_in', session], ID);
    assert.equal(resumed.stdout, CONNACK, resumed.stderr);
  });

  await t.test('no certificate [E_SESSION_NO_CERTIFICATE]', async () => {
    const got = await expectRefusal(client, 'E_SESSION_NO_CERTIFICATE', () => sClient(where, ID));
    assert.equal(got.stdout, '');
  });

  await t.test('a foreign CA [E_SESSION_FOREIGN_CA]', async () => {
    const script = `set -e
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Holdfast devices" -keyout ca.key -out foreign-ca.crt
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${ID}" -keyout foreign.key -out foreign.csr
      printf 'subjectAltName=URI:urn:holdfast:default:${ID}\\nextendedKeyUsage=clientAuth\\n' > ext
      openssl x509 -req -in foreign.csr -CA foreign-ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out foreign.crt`;
    const made = await run('bash', ['-c', script], { cwd: folder });
    assert.equal(made.code, 0, made.stderr);
    const foreign = ['-cert', join(folder, 'foreign.crt'), '-key', join(folder, 'foreign.key')];
    const got = await expectRefusal(client, 'E_SESSION_FOREIGN_CA', () =>
      sClient([...where, ...foreign], ID),
    );
    assert.equal(got.stdout, '');
  });

  await t.test('the certificate of somebody without the key does not even handshake', async () => {
    const got = await sClient(
      [...where, '-cert', file('client.crt'), '-key', join(folder, 'foreign.key')],
      ID,
    );
    assert.equal(got.stdout, '');
    assert.notEqual(got.code, 0);
  });

  await t.test('TLS 1.2 and plaintext [E_WIRE_HANDSHAKE]', async () => {
    const old = await expectRefusal(client, 'E_WIRE_HANDSHAKE', () =>
      sClient([...where, ...own, '-tls1_2'], ID),
    );
    assert.equal(old.stdout, '');
    await expectRefusal(client, 'E_WIRE_HANDSHAKE', async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(connectPacket(ID));
      await new Promise((resolve) => {
        socket.on('close', resolve);
        socket.resume();
      });
    });
  });

  await t.test('a revoked device is out within a second, and stays out', async () => {
    const session = join(folder, 'revoked.session');
    assert.equal((await sClient([...where, ...own, '-sess_out', session], ID)).stdout, CONNACK);

    // stdbuf: line by line, although it is no terminal.
    const child = spawn('stdbuf', [
      '-oL',
      'mosquitto_sub',
      ...mosquittoTls(bundle, port),
      '-i',
      ID,
      '-t',
      `d/${ID}/cmd/#`,
      '-d',
    ]);
    const output = collect(child);
    await waitFor('the subscription', () => output.stdout.includes('SUBACK'));
    await waitFor('the one before to be gone', () => heldSockets(server) === 1);
    // It neither reads nor answers: nothing depends on what the device does.
    child.kill('SIGSTOP');
    const revoking = server.cli(['device', 'revoke', ID, '--reason', 'test']);
    await waitFor('E_SESSION_REVOKED', () => server.output.stdout.includes('E_SESSION_REVOKED'));
    const tookMs = await runningMs(() =>
      waitFor('the socket to be closed', () => heldSockets(server) === 0),
    );
    assert.ok(tookMs < 1_000, 'the socket was still open a second after');
    const revoked = await revoking;
    assert.equal(revoked.code, 0, revoked.stderr);
    child.kill('SIGKILL');

    const full = await expectRefusal(client, 'E_SESSION_REVOKED', () =>
      sClient([...where, ...own], ID),
    );
    assert.equal(full.stdout, '', 'a new TLS session');
    const resumed = await expectRefusal(client, 'E_SESSION_REVOKED', () =>
      sClient([...where, ...own, '-sess_in', session], ID),
    );
    assert.equal(resumed.stdout, '', 'a resumed TLS session');
    const ticketOnly = await expectRefusal(client, 'E_SESSION_REVOKED', () =>
      sClient([...where, '-sess_in', session], ID),
    );
    assert.equal(ticketOnly.stdout, '', 'a resumed TLS session without the key');
    const payload = signPayload(bundle, { ctr: Date.now() });
    const topic = `d/${ID}/telemetry`;
    assert.notEqual((await mosquittoPub({ bundle, port, id: ID, topic, payload })).code, 0);
  });

  await t.test('nmap finds three ports of ours, and TLS on each of them', async () => {
    const mine = Object.values(server.ports);
    const listening = await run('bash', [
      '-c',
      `ls -l /proc/${server.pid}/fd | grep -o 'socket:\\[[0-9]*' | grep -o '[0-9]*'`,
    ]);
    const inodes = new Set(listening.stdout.split('\n').filter(Boolean));
    const table = await run('bash', ['-c', 'cat /proc/net/tcp /proc/net/tcp6']);
    const open = new Set(
      table.stdout
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((cells) => cells[3] === '0A' && inodes.has(cells[9] ?? ''))
        .map((cells) => Number.parseInt(cells[1]?.split(':')[1] ?? '', 16)),
    );
    assert.deepEqual(open, new Set(mine), 'the sockets of the process itself');
    const scanned = await run(
      'nmap',
      // Of the others some are those of tests beside this one, which count who knocks.
      ['-sT', '-p', mine.join(), '--open', '-n', '-Pn', '-oG', '-', '127.0.0.1'],
    );
    assert.equal(scanned.code, 0, scanned.stderr);
    for (const one of mine) assert.match(scanned.stdout, new RegExp(`\\b${one}/open`));
    for (const one of mine) {
      const tls = await run('openssl', [
        's_client',
        '-connect',
        `localhost:${one}`,
        '-CAfile',
        file('ca.crt'),
        '-verify_return_error',
        '-tls1_3',
      ]);
      assert.match(tls.stdout, /New, TLSv1\.3/, `port ${one}`);
    }
  });
});
