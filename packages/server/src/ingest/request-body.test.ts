import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { topicOf } from './ingest-topic.ts';
import { BATCH_LINES_MAX, BODIES_BYTES_MAX } from './limits.ts';
import { BodyReader } from './read-body.ts';
import { type BodyForm, bodyFormOf, payloadsOf } from './request-body.ts';

const NDJSON: BodyForm = { isBatch: true, bytesMax: 1_000_000, properties: {} };

const formOf = (headers: Record<string, string>): BodyForm | string => {
  const form = bodyFormOf(new Headers(headers));
  return form instanceof Refusal ? form.code : form;
};

const topic = (path: string): string => {
  const found = topicOf(path, 'pump-1');
  return found instanceof Refusal ? found.code : found;
};

const linesOf = (text: string): string[] | string => {
  const lines = payloadsOf(Buffer.from(text), NDJSON);
  return lines instanceof Refusal ? lines.code : lines.map((line) => Buffer.from(line).toString());
};

test('a path is the topic that it stands for', () => {
  assert.equal(topic('/v1/d/pump-1/telemetry'), 'd/pump-1/telemetry');
  assert.equal(topic('/v1/d/pump-1/telemetry/a/b%20c'), 'd/pump-1/telemetry/a/b c');
  assert.equal(topic('/v1/d/pump%2D1/telemetry'), 'd/pump-1/telemetry');
});

test('a path of another device, of no telemetry, or of no topic is refused', () => {
  assert.equal(topic('/v1/d/pump-2/telemetry'), 'E_AUTHORIZE_PUBLISH');
  assert.equal(topic('/v1/d//telemetry'), 'E_AUTHORIZE_PUBLISH');
  assert.equal(topic('/v1/d/pump-1%00/telemetry'), 'E_AUTHORIZE_PUBLISH');
  for (const rest of [
    '',
    '/',
    '/state',
    '/telemetry/',
    '/telemetry//a',
    '/telemetry/%2f',
    '/telemetry/a%2fb',
    '/telemetry/%23',
    '/telemetry/%2B',
    '/telemetry/%00',
    '/telemetry/%ff',
    '/telemetry/%',
    `/telemetry/${'a/'.repeat(20)}a`,
    `/telemetry/${'a'.repeat(2_000)}`,
  ]) {
    assert.equal(topic(`/v1/d/pump-1${rest}`), 'E_INGEST_INPUT', rest);
  }
});

test('whatever the path is, the topic is of the device and has no wildcard', () => {
  const path = fc.oneof(
    fc.webPath(),
    fc.string().map((text) => `/telemetry/${text}`),
  );
  fc.assert(
    fc.property(path, (rest) => {
      const found = topicOf(`/v1/d/pump-1${rest}`, 'pump-1');
      if (found instanceof Refusal) return;
      assert.match(found, /^d\/pump-1\/telemetry(\/[^/+#\0]+)*$/u);
    }),
  );
});

test('a body is one object, one on each line, or any bytes that are signed in the headers', () => {
  const json = formOf({ 'content-type': 'application/json; charset=utf-8' });
  assert.deepEqual(json, { isBatch: false, bytesMax: 65_536, properties: {} });
  const batch = formOf({ 'content-type': 'Application/X-NDJSON' });
  assert.deepEqual(batch, { isBatch: true, bytesMax: 1_048_576, properties: {} });
  const signed = { 'x-holdfast-sig': 'aa', 'x-holdfast-ctr': '7', 'x-holdfast-kid': '1.1' };
  assert.deepEqual(formOf({ ...signed, 'content-type': 'application/cbor' }), {
    isBatch: false,
    bytesMax: 65_536,
    properties: {
      userProperties: [
        ['sig', 'aa'],
        ['kid', '1.1'],
        ['ctr', '7'],
      ],
    },
  });
  for (const headers of [
    {},
    { 'content-type': 'text/plain' },
    { 'x-holdfast-kid': '1.1' },
    { ...signed, 'content-type': 'application/x-ndjson' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  ]) {
    assert.equal(formOf(headers), 'E_INGEST_INPUT', JSON.stringify(headers));
  }
});

test('a batch is taken apart at its line ends', () => {
  assert.deepEqual(linesOf('{"a":1}\n{"b":2}\n'), ['{"a":1}', '{"b":2}']);
  assert.deepEqual(linesOf('{"a":1}\r\n{"b":2}'), ['{"a":1}', '{"b":2}']);
  // An empty line in between counts, or the numbers would not be those of the device.
  assert.deepEqual(linesOf('a\n\nb'), ['a', '', 'b']);
  assert.equal(linesOf(''), 'E_INGEST_INPUT');
});

test('a batch has at most so many lines', () => {
  assert.equal(linesOf('x\n'.repeat(BATCH_LINES_MAX)).length, BATCH_LINES_MAX);
  assert.equal(linesOf('x\n'.repeat(BATCH_LINES_MAX + 1)), 'E_INGEST_SIZE');
});

test('the lines of a batch are what was put together', () => {
  const line = fc
    .uint8Array({ maxLength: 20 })
    .map((bytes) => bytes.filter((b) => b !== 10 && b !== 13));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
      const body = Buffer.concat(lines.flatMap((one) => [one, Buffer.from('\n')]));
      const found = payloadsOf(body, NDJSON);
      assert.ok(!(found instanceof Refusal));
      assert.deepEqual(
        found.map((one) => Buffer.from(one)),
        lines.map((one) => Buffer.from(one)),
      );
    }),
  );
});

const requestOf = (body: string | Uint8Array<ArrayBuffer>): Request =>
  new Request('https://server.example/', { method: 'POST', body });

test('a body is read up to its bound and not above it, whether it tells its length or not', async () => {
  const reader = new BodyReader();
  const streamed = (length: number) =>
    new Request('https://server.example/', {
      method: 'POST',
      duplex: 'half',
      body: new Blob([new Uint8Array(length)]).stream(),
    });
  for (const make of [(n: number) => requestOf(new Uint8Array(n)), streamed]) {
    const held = await reader.read(make(100), 100);
    assert.ok(!(held instanceof Refusal));
    assert.equal(held.bytes.length, 100);
    held.release();
    const refused = await reader.read(make(101), 100);
    assert.ok(refused instanceof Refusal);
    assert.equal(refused.code, 'E_INGEST_SIZE');
  }
  const told = new Request('https://server.example/', {
    method: 'POST',
    headers: { 'content-length': '101' },
    body: 'x',
  });
  assert.ok((await reader.read(told, 100)) instanceof Refusal);
});

test('bodies together are bounded, and what was released counts no more', async () => {
  const reader = new BodyReader();
  const all = await reader.read(requestOf(new Uint8Array(BODIES_BYTES_MAX)), BODIES_BYTES_MAX);
  assert.ok(!(all instanceof Refusal));
  const busy = await reader.read(requestOf('x'), 100);
  assert.ok(busy instanceof Refusal);
  assert.equal(busy.code, 'E_INGEST_BUSY');
  all.release();
  all.release();
  const more = await reader.read(requestOf(new Uint8Array(BODIES_BYTES_MAX)), BODIES_BYTES_MAX);
  assert.ok(!(more instanceof Refusal));
});
