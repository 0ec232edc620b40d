import assert from 'node:assert/strict';
import { createHmac, createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import {
  Refusal,
  SIGNED_JSON_LIMITS,
  parseSignedProperties,
  signedHeader,
} from '@holdfast/protocol';
import { type SigningOptions, type UnsignedMessage, signProperties } from './signed-properties.ts';

const key = createSecretKey(Buffer.alloc(32, 7));
const options: SigningOptions = { key, kid: '1.1', ctr: 8, ts: 1_795_000_000_000 };
const message: UnsignedMessage = {
  topic: 'd/thermostat-1/telemetry',
  payload: Uint8Array.of(0xff, 0x00),
};

test('a message of any bytes gets the four properties, and they verify', () => {
  const userProperties = signProperties(message, options);
  assert.deepEqual(
    userProperties.map(([name]) => name),
    ['kid', 'ctr', 'ts', 'sig'],
  );
  const parsed = parseSignedProperties({ userProperties });
  assert.ok(!(parsed instanceof Refusal));
  const text = 'holdfast-2\ntopic=d/thermostat-1/telemetry\nkid=1.1\nctr=8\nts=1795000000000\n\n';
  const tag = createHmac('sha256', key).update(text).update(message.payload).digest('hex');
  assert.deepEqual(parsed, { signature: tag, kid: '1.1', counter: 8, timeMs: 1_795_000_000_000 });
});

test('the properties that the message has already stay in front, and are covered', () => {
  const properties = {
    contentType: 'application/cbor',
    userProperties: [['unit', 'K']],
  } as const;
  const { ts: _, ...timeless } = options;
  const userProperties = signProperties({ ...message, retain: true, properties }, timeless);
  const names = userProperties.map(([name]) => name);
  assert.deepEqual(names, ['unit', 'kid', 'ctr', 'sig']);
  const header = signedHeader(
    { topic: message.topic, retain: true, properties: { ...properties, userProperties } },
    { kid: '1.1', counter: 8, timeMs: undefined },
  );
  const tag = createHmac('sha256', key).update(header).update(message.payload).digest('hex');
  assert.equal(userProperties.at(-1)?.[1], tag);
});

test('both ends of what can be signed', () => {
  const largest = new Uint8Array(SIGNED_JSON_LIMITS.bytesMax);
  for (const ctr of [0, Number.MAX_SAFE_INTEGER]) {
    assert.doesNotThrow(() =>
      signProperties({ ...message, payload: largest }, { ...options, ctr, ts: ctr }),
    );
  }
});

test('what the server would refuse is not signed [E_DEVICE_READING]', () => {
  const texts = ['a\nresponse-topic=b', 'a\tb', '\0'];
  const bad: [message: Partial<UnsignedMessage>, options: Partial<SigningOptions>][] = [
    [{ topic: '' }, {}],
    [{ topic: 'd/+/state' }, {}],
    [{ topic: 'd/a/state\nkid=1.2' }, {}],
    [{ payload: new Uint8Array(SIGNED_JSON_LIMITS.bytesMax + 1) }, {}],
    [{ properties: { responseTopic: 'a/#' } }, {}],
    [{ properties: { userProperties: [['sig', 'x']] } }, {}],
    [{ properties: { userProperties: [['ctr', '8']] } }, {}],
    [{}, { kid: '1.1\nctr=1' }],
    ...texts.map((text): [Partial<UnsignedMessage>, object] => [
      { properties: { contentType: text } },
      {},
    ]),
    ...texts.map((text): [Partial<UnsignedMessage>, object] => [
      { properties: { userProperties: [[text, text]] } },
      {},
    ]),
    ...[-1, 0.5, 2 ** 53, Number.NaN, Infinity, 1e21].flatMap(
      (value): [object, Partial<SigningOptions>][] => [
        [{}, { ctr: value }],
        [{}, { ts: value }],
      ],
    ),
  ];
  for (const [change, option] of bad) {
    assert.throws(
      () => signProperties({ ...message, ...change }, { ...options, ...option }),
      { code: 'E_DEVICE_READING' },
      JSON.stringify([change, option]).slice(0, 100),
    );
  }
});
