/** Enrollment on a whole server: resumed connections, a live switch, and many wrong claims. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, renew } from '@holdfast/device';
import { type InProcessServer, startInProcess, waitFor } from '@holdfast/testkit';

const PINS =
  'GET /.well-known/holdfast/pins HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** Asks for the pin set over a TLS connection of its own; gives the status and a session ticket. */
async function ask(
  { ports }: InProcessServer,
  options: ConnectionOptions,
): Promise<{ status: string; session: Buffer; isResumed: boolean }> {
  const socket: TLSSocket = connectTls({ host: 'localhost', port: ports.enroll, ...options });
  let session: Buffer = Buffer.alloc(0);
  socket.on('session', (ticket: Buffer) => (session = ticket));
  await new Promise((resolve, reject) =>
    socket.once('secureConnect', resolve).once('error', reject),
  );
  const isResumed = socket.isSessionReused();
  socket.write(PINS);
  const answer = await text(socket);
  return { status: answer.slice(9, 12), session, isResumed };
}

test('a ticket of a superseded certificate opens nothing', async (t) => {
  const server = await startInProcess(t);
  const { folder } = await server.enroll('pump-1');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const ca = read('ca.crt');
  const full = await ask(server, { ca, cert: read('client.crt'), key: read('client.key') });
  assert.equal(full.status, '200');
  const resumed = await ask(server, { ca, session: full.session });
  assert.deepEqual([resumed.status, resumed.isResumed], ['200', true], 'a ticket is good at first');
  await renew({ bundle: folder });
  await server.expectRefusal('E_SESSION_SUPERSEDED', async () => {
    const late = await ask(server, { ca, session: full.session });
    assert.deepEqual([late.status, late.isResumed], ['401', true]);
  });
});

test('the first use of the new certificate closes what the old one has open', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');
  // Its program does not look after the bundle: somebody renews it by hand.
  const frozen = { ...bundle, enrollment: undefined };
  const device = connect({ bundle: frozen, random: () => 0.02 });
  t.after(() => device.close());
  await device.publish({ n: 1 });
  const offline = new Promise<void>((resolve) => {
    device.onStatus(({ state }) => {
      if (state === 'offline') resolve();
    });
  });
  const refused = await server.refusedDuring(async () => {
    await renew({ bundle: bundle.folder });
    await offline;
  });
  assert.ok(!refused.includes('E_ENROLL_CLONE'));
  const { device: shown, certificates } = await server.client.device('pump-1');
  assert.equal(shown.state, 'active');
  assert.deepEqual(
    certificates.map(({ status }) => status),
    ['superseded', 'current'],
  );
  const acts = await server.client.acts({ limit: 20 });
  const ofRenewal = acts.filter(({ action }) => /renew|use-certificate/u.test(action));
  assert.deepEqual(
    ofRenewal.map(({ action, principal }) => [action, principal]),
    [
      ['device.use-certificate', 'pump-1'],
      ['device.renew', 'pump-1'],
    ],
  );
});

/** Memory is what is left when all that is garbage has gone, and what that held in its turn. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  for (let pass = 0; pass < 5; pass += 1) {
    runInNewContext('gc')();
    await turn();
  }
}

const WRONG_CLAIMS = 10_000;
/** More than answers that wait: the others are answered at once. */
const CONNECTIONS = 250;

test('10,000 wrong claims are each counted, in bounded memory, and lock nobody out', async (t) => {
  const server = await startInProcess(t);
  const { claim } = await server.client.addDevice({ id: 'pump-1', class: 'sensor' });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, rejectUnauthorized: false });
  t.after(() => agent.destroy());
  const post = (name: string, password: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
      const headers = { authorization, 'content-type': 'application/pkcs10' };
      const path = '/.well-known/est/simpleenroll';
      const options = { agent, host: 'localhost', port: server.ports.enroll, path, headers };
      const call = request({ ...options, method: 'POST' }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      });
      // Connections are idle while garbage is collected. Who asks again over one that the server has
      // closed meanwhile was not heard.
      const again = (error: NodeJS.ErrnoException): void => {
        if (call.reusedSocket && error.code === 'ECONNRESET') resolve(post(name, password));
        else reject(error);
      };
      call.once('error', again).end('x');
    });
  const refusals = (): Promise<number> => server.metric('holdfast_refusals_total');
  const countBefore = await refusals();
  const statuses = new Map<number, number>();
  let sent = 0;
  // Each one under another name and with another secret: what is remembered of them is bounded.
  const sendUntil = async (end: number): Promise<void> => {
    while (sent < end) {
      sent += 1;
      const status = await post(`device-${sent}`, sent.toString(36).padStart(43, 'A'));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const sendAll = async (end: number): Promise<number> => {
    await Promise.all(Array.from({ length: CONNECTIONS }, () => sendUntil(end)));
    await collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 1e6;
  };
  const begunMs = performance.now();
  const halfMb = await sendAll(WRONG_CLAIMS / 2);
  const wholeMb = await sendAll(WRONG_CLAIMS);
  assert.equal((await refusals()) - countBefore, WRONG_CLAIMS);
  assert.deepEqual(
    [...statuses.keys()].toSorted((a, b) => a - b),
    [401, 429],
  );
  // As often in each minute that has begun.
  const minutes = Math.ceil((performance.now() - begunMs) / 60_000) + 1;
  const answered = statuses.get(401) ?? 0;
  assert.ok(answered <= 10 * minutes, 'one network is told so often that it is wrong');
  t.diagnostic(`${halfMb.toFixed(0)} MB after 5,000, ${wholeMb.toFixed(0)} MB after 10,000`);
  assert.ok(wholeMb - halfMb < 5, 'the second half leaves no more behind than the first one');
  // The right claim gets past the count, and is told what is wrong with its request.
  assert.equal(await post('pump-1', claim.secret), 400);
  const told = await waitFor('the sum on the audit log', async () =>
    (await server.client.refusals({ limit: 1_000 })).find(({ code }) => code === 'E_ENROLL_RATE'),
  );
  assert.match(told.detail, /wrong claims/u);
});
