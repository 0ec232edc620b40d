import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { type Refusal, refuse } from '@holdfast/protocol';
import { DEVICE_API_KEY_HEADER } from '@holdfast/protocol/api';
import type { HttpBindings } from '@hono/node-server';
import { createLog } from '../kernel/index.ts';
import type { InboundPublish, PublishDone } from '../session/index.ts';
import { openLab } from '../session/lab.testing.ts';
import { ApiKeyHeader } from './api-key-header.ts';
import { Ingest, type IngestDeps } from './ingest.ts';
import { MESSAGES_PER_TURN, REQUESTS_PER_DEVICE_MAX, STORE_TIMEOUT_MS } from './limits.ts';

/** Ingest of one device, with stages behind it that answer when the test says so. */
function open(t: TestContext, changes: Partial<IngestDeps> = {}) {
  const lab = openLab(t);
  const peer = lab.admit(lab.enroll('pump-1').certificate);
  const reports: string[] = [];
  const published: { readonly publish: InboundPublish; readonly done: PublishDone }[] = [];
  const socket: unknown = Object.create(TLSSocket.prototype);
  const taken: number[][] = [];
  const ingest = new Ingest({
    clock: lab.clock,
    log: createLog({ form: 'json', level: 'silent', write: () => {} }),
    report: ({ refusal }) => void reports.push(refusal.code),
    identify: () => peer,
    gate: lab.gate,
    apiKeyCheck: {
      checkKey: () => Promise.resolve(refuse('E_SESSION_API_KEY', 'none')),
      recheck: () => undefined,
    },
    open: () =>
      Promise.resolve({
        publish: (publish, done) => void published.push({ publish, done }),
        verifyWill: () => assert.fail('no will'),
        permitSubscription: () => assert.fail('no subscription'),
      }),
    rateOf: () => ({
      take: (bytes, _nowMs, messages) => {
        taken.push([bytes, messages ?? 1]);
        return 0;
      },
    }),
    canStore: () => true,
    hasRoom: () => true,
    ...changes,
  });
  const send = (
    body: string | ReadableStream<Uint8Array>,
    type = 'application/x-ndjson',
  ): Promise<Response> => {
    const request = new Request('https://server.example/v1/d/pump-1/telemetry', {
      method: 'POST',
      body,
      headers: { 'content-type': type },
      duplex: 'half',
    });
    return ingest.fetch(request, { incoming: { socket } } as unknown as HttpBindings);
  };
  return { ...lab, reports, published, taken, send };
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 1_000 && !condition(); n += 1) await turn();
  assert.ok(condition());
}

test('whoever is admitted and no device is told what strangers are told', async (t) => {
  const { gate } = open(t);
  const app = gate.admitPerson({ principal: 'app:x', address: '::1', liveUntilMs: () => 1 });
  const other = open(t, { identify: () => app });
  const refused = await other.send('a');
  assert.equal(refused.status, 401);
  assert.deepEqual(other.reports, ['E_SESSION_PURPOSE']);
  const stranger = open(t, { identify: () => refuse('E_SESSION_FOREIGN_CA', 'x') });
  assert.equal(await refused.text(), await (await stranger.send('a')).text());
});

test('answers when every message is durable, and not before', async (t) => {
  const { send, published } = open(t);
  const answers: Response[] = [];
  void send('a\nb\nc').then((response) => answers.push(response));
  await until(() => published.length === 3);
  const order = [2, 0];
  for (const i of order) published[i]?.done(false);
  for (let n = 0; n < 5; n += 1) await turn();
  assert.equal(answers.length, 0);
  published[1]?.done(false, refuse('E_VERIFY_SIG', 'forged'));
  await until(() => answers.length === 1);
  const told = answers.map(async (answer) => [answer.status, await answer.json()]);
  assert.deepEqual(await Promise.all(told), [[422, { accepted: 2, refused: [2] }]]);
});

test('tells the lines in their order, and hands on a large batch in turns', async (t) => {
  const { send, published, taken } = open(t);
  const count = 2 * MESSAGES_PER_TURN + 1;
  const answer = send('x\n'.repeat(count));
  await until(() => published.length === count);
  for (const { done } of published.toReversed()) done(false, refuse('E_VERIFY_JSON', 'no'));
  const { accepted, refused } = (await (await answer).json()) as Record<string, unknown>;
  assert.equal(accepted, 0);
  assert.deepEqual(
    refused,
    Array.from({ length: count }, (_, i) => i + 1),
  );
  // One for the request before its body is read, the others once they are counted.
  assert.deepEqual(taken, [
    [0, 0],
    [0, 1],
    [2 * count, count - 1],
  ]);
});

test('says when to come back while the journal cannot store, and stores nothing', async (t) => {
  const { send, published, reports } = open(t, { canStore: () => false });
  const answer = await send('a');
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '5']);
  assert.deepEqual([published.length, reports], [0, ['E_JOURNAL_UNAVAILABLE']]);
});

test('does not wait for the disk for ever', async (t) => {
  const { send, published, clock } = open(t);
  const answer = send('a');
  await until(() => published.length === 1);
  clock.advance(STORE_TIMEOUT_MS - 1);
  clock.advance(1);
  assert.equal((await answer).status, 503);
  // What comes late is nobody's business any more.
  published[0]?.done(true);
});

test('takes so many requests of a device at a time, and one more when one is answered', async (t) => {
  const { send, published, reports } = open(t);
  const first = Array.from({ length: REQUESTS_PER_DEVICE_MAX }, () => send('a'));
  await until(() => published.length === REQUESTS_PER_DEVICE_MAX);
  const refused = await send('a');
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '1']);
  assert.deepEqual(reports, ['E_INGEST_BUSY']);
  for (const { done } of published) done(true);
  for (const answer of first) assert.equal((await answer).status, 200);
  const next = send('a');
  await until(() => published.length === REQUESTS_PER_DEVICE_MAX + 1);
  published.at(-1)?.done(true);
  assert.equal((await next).status, 200);
});

test('a device that is revoked while its body arrives has sent nothing', async (t) => {
  const { send, published, registry, reports } = open(t);
  let finish = (): void => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from('a\n'));
      finish = () => controller.close();
    },
  });
  const answer = send(body);
  await turn();
  const device = registry.byId('pump-1');
  assert.ok(device !== undefined);
  registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' });
  finish();
  assert.equal((await answer).status, 401);
  assert.deepEqual([published.length, reports], [0, ['E_SESSION_REVOKED']]);
});

test('a failure is one of the server, and the next request begins anew', async (t) => {
  let opened = 0;
  const done: (() => void)[] = [];
  const { send } = open(t, {
    open: () => {
      opened += 1;
      if (opened === 1) return Promise.reject(new Error('the disk fails'));
      return Promise.resolve({
        publish: (_publish, finish) => void done.push(() => finish(true)),
        verifyWill: (): Refusal => assert.fail('no will'),
        permitSubscription: (): Refusal => assert.fail('no subscription'),
      });
    },
  });
  assert.equal((await send('a')).status, 503);
  const answer = send('a');
  await until(() => done.length === 1);
  done[0]?.();
  assert.equal((await answer).status, 200);
  assert.equal(opened, 2);
});

test('a body that breaks off is none', async (t) => {
  const { send, published, reports } = open(t);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from('a\nb\n'));
      controller.error(new Error('the peer has gone'));
    },
  });
  assert.equal((await send(body)).status, 415);
  assert.deepEqual([published.length, reports], [0, ['E_INGEST_INPUT']]);
});

test('a right API key in the header is the use of the certificate, a wrong one is not', async (t) => {
  const { admit, enroll } = openLab(t);
  const peer = admit(enroll('pump-1').certificate);
  const used: string[] = [];
  const header = new ApiKeyHeader(
    {
      checkKey: (_peer, key) =>
        Promise.resolve(key === 'right' ? { keyId: '1' } : refuse('E_SESSION_API_KEY', 'wrong')),
      recheck: () => refuse('E_SESSION_API_KEY', 'none'),
    },
    { use: ({ fingerprint }) => void used.push(fingerprint) },
  );
  const ask = (headers: Record<string, string>) =>
    header.refusalOf(peer, { headers: new Headers(headers), connection: {} });
  assert.equal((await ask({}))?.code, 'E_SESSION_API_KEY');
  assert.equal((await ask({ [DEVICE_API_KEY_HEADER]: 'wrong' }))?.code, 'E_SESSION_API_KEY');
  assert.deepEqual(used, []);
  assert.equal(await ask({ [DEVICE_API_KEY_HEADER]: 'right' }), undefined);
  assert.deepEqual(used, [peer.fingerprint]);
});

test('an API key that ends while the body arrives stores nothing', async (t) => {
  let isRequired = false;
  const missing = (): Refusal | undefined =>
    isRequired ? refuse('E_SESSION_API_KEY', 'none') : undefined;
  const { send, published, reports } = open(t, {
    apiKeyCheck: { checkKey: () => assert.fail('no key'), recheck: missing },
  });
  let finish = (): void => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from('a\n'));
      finish = () => controller.close();
    },
  });
  const answer = send(body);
  for (let n = 0; n < 5; n += 1) await turn();
  isRequired = true;
  finish();
  assert.equal((await answer).status, 401);
  assert.deepEqual([published.length, reports], [0, ['E_SESSION_API_KEY']]);
});
