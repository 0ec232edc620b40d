import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadingViewSchema, RefusalViewSchema } from '@holdfast/protocol/api';
import { type Lab, StreamReader, codeOf, openLab, present } from './lab.testing.ts';
import {
  STREAMS_MAX,
  STREAMS_OF_PERSON_MAX,
  STREAM_HEARTBEAT_MS,
  STREAM_WAITING_BYTES_MAX,
} from './limits.ts';

const READINGS = '/v1/devices/dev-1/readings/stream';
const REFUSALS = '/v1/refusals/stream';

function openLabWithDevice(t: Parameters<typeof openLab>[0]): Lab {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  return lab;
}

function pushReading(lab: Lab, index: number, payload = '{}'): void {
  const facts = { atMs: lab.clock.ms, deviceId: 'dev-1', topic: 'd/dev-1/telemetry', kid: '1.1' };
  lab.readings.push({ index, payload, ...facts });
}

test('a stream gives each new item, with its index as id', async (t) => {
  const lab = openLabWithDevice(t);
  const { localToken: token } = lab;
  pushReading(lab, 6);
  const answer = await lab.call('GET', READINGS, { token });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const reader = new StreamReader(answer);
  assert.equal(await reader.next(), ': open\n\n');
  pushReading(lab, 7, '{"text": "two\\nlines — ünïcode"}');
  pushReading(lab, 9);
  const event = /^event: reading\nid: 7\ndata: (.*)\n\n$/.exec((await reader.next()) ?? '');
  const view = ReadingViewSchema.parse(JSON.parse(event?.[1] ?? ''));
  assert.equal(view.payload, '{"text": "two\\nlines — ünïcode"}');
  assert.match((await reader.next()) ?? '', /^event: reading\nid: 9\n/);
});

test('refusals have a stream of their own', async (t) => {
  const lab = openLab(t);
  const reader = new StreamReader(await lab.call('GET', REFUSALS, { token: lab.localToken }));
  await reader.next();
  const facts = { code: 'E_VERIFY_SIG', detail: 'no match', count: 1 } as const;
  lab.refusals.push({ index: 0, atMs: lab.clock.ms, ...facts });
  const event = /^event: refusal\nid: 0\ndata: (.*)\n\n$/.exec((await reader.next()) ?? '');
  assert.equal(RefusalViewSchema.parse(JSON.parse(event?.[1] ?? '')).code, 'E_VERIFY_SIG');
});

test('a silent stream gives a sign of life at each interval', async (t) => {
  const lab = openLab(t);
  const reader = new StreamReader(await lab.call('GET', REFUSALS, { token: lab.localToken }));
  await reader.next();
  let isThere = false;
  const alive = reader.next().then((text) => {
    isThere = true;
    return text;
  });
  lab.clock.advance(STREAM_HEARTBEAT_MS - 1);
  await new Promise(setImmediate);
  assert.ok(!isThere);
  lab.clock.advance(1);
  assert.equal(await alive, ': alive\n\n');
  lab.clock.advance(2 * STREAM_HEARTBEAT_MS);
  assert.equal(await reader.next(), ': alive\n\n');
  assert.equal(await reader.next(), ': alive\n\n');
});

test('when the reader leaves, nothing of the stream stays', async (t) => {
  const lab = openLab(t);
  const timersBefore = lab.clock.timerCount;
  const reader = new StreamReader(await lab.call('GET', REFUSALS, { token: lab.localToken }));
  await reader.next();
  assert.equal(lab.refusals.listeners.size, 1);
  assert.equal(lab.clock.timerCount, timersBefore + 1);
  await reader.cancel();
  assert.equal(lab.refusals.listeners.size, 0);
  assert.equal(lab.clock.timerCount, timersBefore);
});

test('as many streams as the limit may be open; one more is refused until one ends', async (t) => {
  const lab = openLab(t);
  const { localToken: token } = lab;
  const readers: StreamReader[] = [];
  for (let i = 0; i < STREAMS_MAX; i++) {
    const answer = await lab.call('GET', REFUSALS, { token });
    assert.equal(answer.status, 200, `stream ${i}`);
    readers.push(new StreamReader(answer));
  }
  const refused = await lab.call('GET', REFUSALS, { token });
  assert.equal(refused.status, 429);
  assert.equal(await codeOf(refused), 'E_OPERATE_RATE');
  await readers[0]?.cancel();
  assert.equal((await lab.call('GET', REFUSALS, { token })).status, 200);
  assert.equal((await lab.call('GET', REFUSALS, { token })).status, 429);
});

test('nobody takes the streams of all others: a person has so many, in all their sessions', async (t) => {
  const lab = openLab(t);
  const sessionOf = (name: string): string => {
    const { code } = present(lab.people.membership.invite({ name, role: 'auditor' }));
    const person = present(lab.people.membership.redeem(code.expose()));
    return lab.people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
  };
  const [session, other] = [sessionOf('eve'), sessionOf('bob')];
  for (const path of [REFUSALS, '/v1/live']) {
    const readers: StreamReader[] = [];
    for (let i = 0; i < STREAMS_OF_PERSON_MAX; i++) {
      const answer = await lab.call('GET', path, { session });
      assert.equal(answer.status, 200, `${path} ${i}`);
      readers.push(new StreamReader(answer));
    }
    const refused = await lab.call('GET', path, { session });
    assert.equal(await codeOf(refused), 'E_OPERATE_RATE');
    assert.equal((await lab.call('GET', path, { session: other })).status, 200);
    await readers[0]?.cancel();
    assert.equal((await lab.call('GET', path, { session })).status, 200);
    assert.equal((await lab.call('GET', path, { session })).status, 429);
  }
});

test('HEAD opens no stream', async (t) => {
  const lab = openLab(t);
  const answer = await lab.call('HEAD', REFUSALS, { token: lab.localToken });
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(lab.refusals.listeners.size, 0);
  assert.equal(lab.clock.timerCount, 0);
});

test('a reader may lag up to the limit, and is cut with the next byte', async (t) => {
  const lab = openLabWithDevice(t);
  let isDestroyed = false;
  const onSocketDestroyed = (): void => {
    isDestroyed = true;
  };
  const { localToken: token } = lab;
  const overhead = await eventOverhead(lab);
  const answer = await lab.call('GET', READINGS, { token, onSocketDestroyed });
  assert.ok(answer.body);
  let bytes = ': open\n\n'.length;
  const payloadBytes = 60_000;
  while (bytes + overhead + payloadBytes <= STREAM_WAITING_BYTES_MAX) {
    pushReading(lab, 1, 'x'.repeat(payloadBytes));
    bytes += overhead + payloadBytes;
  }
  const rest = STREAM_WAITING_BYTES_MAX - bytes - overhead;
  pushReading(lab, 1, 'x'.repeat(rest));
  assert.ok(!isDestroyed);
  assert.equal(lab.readings.listeners.size, 1);
  lab.clock.advance(STREAM_HEARTBEAT_MS);
  assert.ok(isDestroyed);
  assert.equal(lab.readings.listeners.size, 0);
  assert.equal(lab.clock.timerCount, 0);
  pushReading(lab, 2);
});

/** Bytes of the event of a reading besides its payload. */
async function eventOverhead(lab: Lab): Promise<number> {
  const reader = new StreamReader(await lab.call('GET', READINGS, { token: lab.localToken }));
  await reader.next();
  pushReading(lab, 1, '');
  const text = (await reader.next()) ?? '';
  await reader.cancel();
  return Buffer.byteLength(text);
}

test('a stream ends when its token is removed, and gives nothing more', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const { id, token } = await lab.createToken(session);
  const reader = new StreamReader(await lab.call('GET', REFUSALS, { token }));
  assert.equal(await reader.next(), ': open\n\n');
  await lab.call('DELETE', `/v1/tokens/${id}`, { session });
  const facts = { code: 'E_VERIFY_SIG', detail: 'no match', count: 1 } as const;
  lab.refusals.push({ index: 1, atMs: lab.clock.ms, ...facts });
  assert.equal(await reader.next(), undefined);
  assert.equal(lab.refusals.listeners.size, 0);
});

test('a silent stream of a removed token ends with the next sign of life', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const { id, token } = await lab.createToken(session);
  const reader = new StreamReader(await lab.call('GET', REFUSALS, { token }));
  await reader.next();
  await lab.call('DELETE', `/v1/tokens/${id}`, { session });
  lab.clock.advance(STREAM_HEARTBEAT_MS);
  assert.equal(await reader.next(), undefined);
  assert.equal(lab.refusals.listeners.size, 0);
});

test('a stream ends with its session, which it does not prolong', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const reader = new StreamReader(await lab.call('GET', REFUSALS, { session }));
  lab.clock.advance(30 * 60_000);
  const texts: (string | undefined)[] = [];
  do texts.push(await reader.next());
  while (texts.at(-1) !== undefined);
  assert.equal(texts.length, 1 + 119 + 1);
  assert.equal(lab.refusals.listeners.size, 0);
});
