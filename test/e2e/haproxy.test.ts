/** HAProxy of Debian before the server, with both configurations of the guide. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import {
  type ServerProcess,
  collect,
  holdfast,
  mosquittoPub,
  readPage,
  run,
  signPayload,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';
import { freePort } from '../integration/free-port.ts';

const GUIDE = join(import.meta.dirname, '../../docs/guides/haproxy.md');
const DOORS = ['broker', 'api', 'enroll'] as const;
const DOCUMENTED = { broker: 8883, api: 8443, enroll: 8444 } as const;

/** The address of HAProxy, as the server sees it, those of its clients, and of who passes it by. */
const [PROXY, ONE, OTHER, DIRECT] = ['127.0.0.9', '127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;

type Ports = ServerProcess['ports'];

async function freePorts(): Promise<Ports> {
  const [broker, api, enroll] = await Promise.all(DOORS.map(() => freePort()));
  return { broker: broker ?? 0, api: api ?? 0, enroll: enroll ?? 0 };
}

/** A configuration of the guide, for the ports and the authority of a test. */
function configurationFor(
  bundle: string,
  { name, to, at }: { name: string; to: Ports; at: Ports },
): string {
  const block = readPage(readFileSync(GUIDE, 'utf8')).blocks.find(
    ({ mark }) => mark === `file: ${name}`,
  );
  let configuration = block?.text ?? assert.fail(`the guide has no ${name}`);
  for (const door of DOORS) {
    const documented = DOCUMENTED[door];
    configuration = configuration
      .replaceAll(`192.0.2.10:${documented}`, `127.0.0.1:${to[door]} source ${PROXY}`)
      .replaceAll(`bind :${documented}`, `bind 127.0.0.1:${at[door]}`)
      .replaceAll(`dst_port ${documented}`, `dst_port ${at[door]}`);
  }
  return (
    configuration
      .replaceAll('/etc/haproxy/holdfast-ca.crt', join(bundle, 'ca.crt'))
      .replaceAll('iot.example.org', 'localhost')
      // A test machine may open fewer files.
      .replaceAll('maxconn 20000', 'maxconn 1000')
  );
}

/** Starts HAProxy; gives what its statistics say of a server. */
async function startProxy(
  t: TestContext,
  { folder, configuration }: { folder: string; configuration: string },
): Promise<(server: string) => Promise<string>> {
  const file = join(folder, 'haproxy.cfg');
  const socket = join(folder, 'stats');
  writeFileSync(file, configuration.replace('global\n', `global\n  stats socket ${socket}\n`));
  const checked = await run('haproxy', ['-c', '-f', file]);
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  assert.doesNotMatch(checked.stdout + checked.stderr, /WARNING/u);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const show = async (server: string): Promise<string> => {
    const connection = connect(socket);
    connection.end('show stat\n');
    const lines = (await text(connection)).split('\n');
    return lines.find((line) => line.startsWith(`${server},`)) ?? '';
  };
  await waitFor('HAProxy to listen', async () => {
    assert.equal(child.exitCode, null, output.stderr);
    return (await show('holdfast-api,one').catch(() => '')) !== '';
  });
  return show;
}

/** A server, believing HAProxy or not, a device, and a configuration of the guide for both. */
async function setUp(t: TestContext, { name, args }: { name: string; args: readonly string[] }) {
  const folder = temporaryFolder(t);
  const server = await startServer(t, { dataDir: join(folder, 'data'), args });
  const added = await server.cli(['device', 'add', 'pump-1', '--class', 'sensor', '--json']);
  const { claim } = JSON.parse(added.stdout) as { claim: { text: string } };
  const bundle = join(folder, 'pump-1');
  const enrolled = await holdfast(['device', 'enroll', '--claim', '-', '--out', bundle], {
    input: claim.text,
  });
  assert.equal(enrolled.code, 0, enrolled.stderr);
  const at = await freePorts();
  const configuration = configurationFor(bundle, { name, to: server.ports, at });
  const publish = (value: number, { port = at.broker, from = '127.0.0.1' } = {}) =>
    mosquittoPub({
      bundle,
      port,
      id: 'pump-1',
      topic: 'd/pump-1/telemetry',
      payload: signPayload(bundle, { ctr: Date.now(), value }),
      more: ['-A', from],
    });
  return { folder, server, bundle, at, configuration, publish };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

const setUpProxied = (t: TestContext): Promise<SetUp> =>
  setUp(t, { name: 'haproxy.cfg', args: ['--proxy-from', PROXY] });

/** A check of its health that HAProxy gave up, as a server is slow on a busy machine. */
const LATE_CHECK = 'E_WIRE_HANDSHAKE ';

/** Code and address of each refusal. */
async function refusals(server: ServerProcess): Promise<string[]> {
  const found = await server.client().refusals({ limit: 100 });
  const all = found.map(({ code, address = '' }) => `${code} ${address}`);
  return all.filter((one) => one !== LATE_CHECK);
}

/** Waits until a refusal with this code, of this address, is recorded. */
function refused(server: ServerProcess, code: string, address: string): Promise<boolean> {
  const found = `${code} ${address}`;
  return waitFor(found, async () => (await refusals(server)).includes(found));
}

/** Says something over TCP from an address; resolves when it is closed. */
async function sayTo(port: number, { from, bytes }: { from: string; bytes: Buffer }) {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  socket.resume().write(bytes);
  await once(socket, 'close');
}

/** Asks by HTTPS, and gives the body of the answer. */
async function post(
  url: string,
  { body, options }: { body: string; options: RequestOptions },
): Promise<string> {
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const asked = request(url, { ...options, agent: false, method: 'POST', headers }).end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return text(response);
}

const NONSENSE = Buffer.from('GET / HTTP/1.0\r\n\r\n');

async function assertServed(
  { server, bundle, at, publish }: SetUp,
  show: (server: string) => Promise<string>,
): Promise<void> {
  const published = await publish(41);
  assert.equal(published.code, 0, published.stderr);
  const shown = await server.cli(['readings', 'pump-1']);
  assert.match(shown.stdout, /41/u);

  for (const port of [at.api, at.enroll]) {
    const url = `https://localhost:${port}/healthz`;
    const health = await run('curl', ['-sS', '--cacert', join(bundle, 'ca.crt'), url]);
    assert.equal(health.code, 0, health.stderr);
  }

  await waitFor('the check', async () => (await show('holdfast-api,one')).includes(',L7OK,'));
  for (const name of ['holdfast-broker,one', 'holdfast-enrollment,one']) {
    assert.match(await show(name), /,UP,/u, name);
  }
  assert.deepEqual(await refusals(server), []);
}

test('with the PROXY protocol: all is served, and clients are told apart', async (t) => {
  const lab = await setUpProxied(t);
  const { server, bundle, at, publish } = lab;
  await assertServed(lab, await startProxy(t, lab));

  for (const door of DOORS) await sayTo(at[door], { from: ONE, bytes: NONSENSE });
  await waitFor('the refusals', async () => (await refusals(server)).length === DOORS.length);
  const expected = Array.from(DOORS, () => `E_WIRE_HANDSHAKE ${ONE}`);
  assert.deepEqual(await refusals(server), expected, 'one at each listener');
  // Somebody without a certificate gets through TLS, and no further.
  const ca = join(bundle, 'ca.crt');
  const stranger = ['-h', 'localhost', '-p', String(at.broker), '--cafile', ca, '-A', OTHER];
  await run('mosquitto_pub', [...stranger, '-t', 'd/pump-1/telemetry', '-m', '1']);
  await refused(server, 'E_SESSION_NO_CERTIFICATE', OTHER);
  assert.equal((await publish(1, { from: OTHER })).code, 0);

  // Past HAProxy, to the server itself.
  const { broker: port } = server.ports;
  const forged = Buffer.from('0d0a0d0a000d0a515549540a2111000cc6336401c6336402d43122b3', 'hex');
  const hello = Buffer.from('160301000100', 'hex');
  await sayTo(port, { from: DIRECT, bytes: Buffer.concat([forged, hello]) });
  await refused(server, 'E_WIRE_HANDSHAKE', DIRECT);
  assert.notEqual((await publish(2, { port, from: PROXY })).code, 0, 'the header is required');
  await refused(server, 'E_WIRE_PROXY', PROXY);
  assert.equal((await publish(3, { port, from: DIRECT })).code, 0, 'and from nobody else');
});

test('clients are told apart by the limits of an address', async (t) => {
  const lab = await setUpProxied(t);
  const { server, bundle, at, publish } = lab;
  await startProxy(t, lab);
  const ca = readFileSync(join(bundle, 'ca.crt'), 'utf8');
  const redeem = (localAddress: string): Promise<string> =>
    post(`https://localhost:${at.api}/v1/sign-in/invitation`, {
      body: JSON.stringify({ code: 'AAAA-BBBB-CCCC-DDDD' }),
      options: { ca, localAddress, family: 4 },
    });
  await waitFor('one to be held back', async () => (await redeem(ONE)).includes('E_OPERATE_RATE'));
  await refused(server, 'E_OPERATE_RATE', ONE);
  assert.match(await redeem(OTHER), /E_OPERATE_SIGN_IN/u);

  await waitFor('one to be held off', async () => {
    await Promise.all(
      Array.from({ length: 150 }, () => sayTo(at.broker, { from: ONE, bytes: NONSENSE })),
    );
    return (await refusals(server)).includes(`E_WIRE_HELD_OFF ${ONE}`);
  });
  assert.equal((await publish(1, { from: OTHER })).code, 0);
  assert.ok(!(await refusals(server)).some((refusal) => refusal.endsWith(` ${PROXY}`)));
});

test('without the PROXY protocol: what does not begin as TLS ends at HAProxy', async (t) => {
  const lab = await setUp(t, { name: 'haproxy-without.cfg', args: [] });
  await assertServed(lab, await startProxy(t, lab));
  await sayTo(lab.at.broker, { from: ONE, bytes: NONSENSE });
  assert.equal((await lab.publish(1)).code, 0);
  assert.deepEqual(await refusals(lab.server), []);
});

test('a server does not start with what is no proxy', async (t) => {
  const dataDir = temporaryFolder(t);
  const { code, stderr } = await holdfast(['up', '--data', dataDir, '--proxy-from', '127.0.0.1']);
  assert.notEqual(code, 0);
  assert.match(stderr, /from where the command line comes[^]*E_WIRE_PROXY_FROM/u);
});
