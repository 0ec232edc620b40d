import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeFromClient } from '../mqtt/decode.ts';
import type { MessageProperties, UserProperty } from '../mqtt/packets.ts';
import { frame } from '../mqtt/test-support.ts';
import { Refusal } from '../refusal.ts';
import { parseSignedJson } from '../signed-json/index.ts';
import { anyMessage, anyStamp } from './arbitraries.ts';
import { type SignedMessage, type SignedStamp, signedHeader } from './signed-header.ts';

const STAMP: SignedStamp = { kid: '1.1', counter: 7, timeMs: undefined };

test('the header of a plain message is four lines and an empty one', () => {
  const message = { topic: 'd/pump-1/telemetry', retain: false, properties: {} };
  assert.equal(
    signedHeader(message, STAMP),
    'holdfast-2\ntopic=d/pump-1/telemetry\nkid=1.1\nctr=7\n\n',
  );
});

test('everything that a message can carry has its line, in this order', () => {
  const properties: MessageProperties = {
    userProperties: [
      ['unit', '°C'],
      ['kid', '1.1'],
      ['unit', 'K'],
      ['ctr', '7'],
      ['ts', '8'],
      ['', ''],
      ['sig', 'a'.repeat(64)],
    ],
    correlationData: Uint8Array.of(0, 0xab),
    responseTopic: 'd/pump-1/ack/x',
    contentType: 'application/cbor',
    payloadFormat: 0,
    messageExpiryS: 60,
  };
  const message = { topic: 'd/pump-1/state', retain: true, properties };
  assert.deepEqual(signedHeader(message, { ...STAMP, timeMs: 8 }).split('\n'), [
    'holdfast-2',
    'topic=d/pump-1/state',
    'kid=1.1',
    'ctr=7',
    'ts=8',
    'retain=1',
    'payload-format=0',
    'content-type=application/cbor',
    'response-topic=d/pump-1/ack/x',
    'correlation-data=00ab',
    'property=unit\t°C',
    'property=unit\tK',
    'property=\t',
    '',
    '',
  ]);
});

test('a header can be read back, so no two messages share one, whatever the payload', () => {
  fc.assert(
    fc.property(anyMessage, anyStamp, fc.string(), (message, stamp, payload) => {
      const read = readBack(`${signedHeader(message, stamp)}${payload}`);
      assert.deepEqual(read, { message, stamp, payload });
    }),
  );
});

test('what form 1 signs never begins like a header', () => {
  fc.assert(
    fc.property(anyMessage, anyStamp, (message, stamp) => {
      const header = signedHeader(message, stamp);
      const parsed = parseSignedJson(new TextEncoder().encode(header));
      assert.ok(parsed instanceof Refusal && parsed.code === 'E_VERIFY_JSON');
    }),
  );
  const form1 = parseSignedJson(Buffer.from(` {"ctr": 1, "sig": "${'a'.repeat(64)}"}`));
  assert.ok(!(form1 instanceof Refusal));
  assert.equal(form1.signedBytes[0], '{'.charCodeAt(0));
});

/** The header has no escapes: it relies on the codec to let no control character through. */
test('no text of a PUBLISH can bring a line feed or a tab [E_WIRE_PACKET]', () => {
  const topic = 'd/a/state';
  for (const bad of ['\n', '\t', '\r', '\0', '\x7f', '\u0085']) {
    const list: Record<string, Buffer> = {
      topic: frame(0x30, `${topic}${bad}`, 0),
      contentType: publishWith(0x03, `a${bad}`),
      responseTopic: publishWith(0x08, `a${bad}`),
      name: publishWith(0x26, `a${bad}`, 'b'),
      value: publishWith(0x26, 'a', `b${bad}`),
    };
    for (const [what, bytes] of Object.entries(list)) {
      const packet = decodeFromClient(0x30, bytes, 2, bytes.length, 5);
      assert.ok(packet instanceof Refusal, `${what} with ${JSON.stringify(bad)}`);
      assert.equal(packet.code, 'E_WIRE_PACKET');
    }
  }
  const good = publishWith(0x26, 'a', 'b');
  assert.ok(!(decodeFromClient(0x30, good, 2, good.length, 5) instanceof Refusal));
});

/** A QoS 0 PUBLISH with one property. */
function publishWith(id: number, ...texts: readonly string[]): Buffer {
  const property = frame(0, id, ...texts).subarray(2);
  return frame(0x30, 'd/a/state', property.length, property);
}

/** The inverse of `signedHeader`, written from its description. */
function readBack(text: string): {
  message: SignedMessage;
  stamp: SignedStamp;
  payload: string;
} {
  const headerEnd = text.indexOf('\n\n');
  const lines = text.slice(0, headerEnd).split('\n');
  assert.equal(lines.shift(), 'holdfast-2');
  const take = (name: string): string | undefined => {
    const isNext = lines[0]?.startsWith(`${name}=`) ?? false;
    return isNext ? lines.shift()?.slice(name.length + 1) : undefined;
  };
  const topic = take('topic') ?? '';
  const kid = take('kid') ?? '';
  const counter = Number(take('ctr'));
  const ts = take('ts');
  const retain = take('retain') === '1';
  const format = take('payload-format');
  const contentType = take('content-type');
  const responseTopic = take('response-topic');
  const correlation = take('correlation-data');
  const userProperties: UserProperty[] = [];
  for (let line = take('property'); line !== undefined; line = take('property')) {
    const tab = line.indexOf('\t');
    userProperties.push([line.slice(0, tab), line.slice(tab + 1)]);
  }
  assert.deepEqual(lines, []);
  const properties = {
    payloadFormat: format === undefined ? undefined : format === '1' ? (1 as const) : (0 as const),
    contentType,
    responseTopic,
    correlationData: correlation === undefined ? undefined : Uint8Array.fromHex(correlation),
    userProperties: userProperties.length === 0 ? undefined : userProperties,
  };
  const timeMs = ts === undefined ? undefined : Number(ts);
  return {
    message: { topic, retain, properties },
    stamp: { kid, counter, timeMs },
    payload: text.slice(headerEnd + 2),
  };
}
