import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Refusal, SIGNED_JSON_LIMITS, signedHeader } from '@holdfast/protocol';
import {
  type MessageProperties,
  type UserProperty,
  decodeForwarded,
} from '@holdfast/protocol/mqtt';
import fc from 'fast-check';
import { Grant } from '../authorize/index.ts';
import { openPermissions } from '../authorize/lab.testing.ts';
import type { InboundPublish } from '../session/index.ts';
import { type Lab, codeOf, openLab, parsed } from '../session/lab.testing.ts';
import { DeviceVerifier } from './device-verifier.ts';
import { NO_COUNTERS } from './replay-window.ts';
import { REPLAY_WINDOW_SIZE } from './replay-window.ts';
import { VerifiedMessage } from './verified-message.ts';

interface Bench {
  readonly lab: Lab;
  readonly verifier: DeviceVerifier;
  readonly verify: (publish: InboundPublish) => VerifiedMessage | Refusal;
  /** The message with the user properties that sign it, after its own. */
  readonly sign: (publish: InboundPublish, stamp: Stamp) => InboundPublish;
  readonly hmac: (...parts: readonly (string | Uint8Array)[]) => string;
}

interface Stamp {
  readonly ctr: number;
  readonly ts?: number;
  readonly kid?: string;
}

const PLAIN: InboundPublish = {
  topic: 'd/pump-1/telemetry',
  payload: Uint8Array.of(0xff, 0, 0x7b, 0x0a),
  retain: false,
  qos: 1,
  properties: {},
};

const RICH: InboundPublish = {
  ...PLAIN,
  topic: 'd/pump-1/telemetry/ü',
  retain: true,
  qos: 2,
  properties: {
    payloadFormat: 1,
    messageExpiryS: 60,
    contentType: 'application/cbor',
    responseTopic: 'd/pump-1/ack/x',
    correlationData: Uint8Array.of(1, 2),
    userProperties: [
      ['unit', 'K'],
      ['place', 'cellar'],
    ],
  },
};

function openBench(t: TestContext): Bench {
  const lab = openLab(t);
  const { device, certificate } = lab.enroll('pump-1');
  const grant = new Grant(lab.admit(certificate), openPermissions(lab).permissions);
  const keys = lab.payloadKeys.of(device);
  const key = keys.payloadKey.expose();
  const verifier = new DeviceVerifier({ device, keys, clock: lab.clock, counters: NO_COUNTERS });
  const hmac: Bench['hmac'] = (...parts) => {
    const mac = createHmac('sha256', key);
    for (const part of parts) mac.update(part);
    return mac.digest('hex');
  };
  return {
    lab,
    verifier,
    hmac,
    verify: (publish) => verifier.verify(parsed(grant.permitPublish(publish))),
    sign: (publish, { ctr, ts, kid = keys.kid }) => {
      const header = signedHeader(publish, { kid, counter: ctr, timeMs: ts });
      return withUserProperties(publish, [
        ...(publish.properties.userProperties ?? []),
        ['kid', kid],
        ['ctr', `${ctr}`],
        ...(ts === undefined ? [] : [['ts', `${ts}`] as const]),
        ['sig', hmac(header, publish.payload)],
      ]);
    },
  };
}

function withUserProperties(
  publish: InboundPublish,
  userProperties: readonly UserProperty[],
): InboundPublish {
  return { ...publish, properties: { ...publish.properties, userProperties } };
}

function withProperties(publish: InboundPublish, changes: MessageProperties): InboundPublish {
  return { ...publish, properties: { ...publish.properties, ...changes } };
}

/** The message with another value for a user property; undefined takes it away. */
function withValue(
  publish: InboundPublish,
  name: string,
  change: (value: string) => string | undefined,
): InboundPublish {
  const changed: UserProperty[] = [];
  for (const [key, value] of publish.properties.userProperties ?? []) {
    const next = key === name ? change(value) : value;
    if (next !== undefined) changed.push([key, next]);
  }
  return withUserProperties(publish, changed);
}

test('any bytes, signed in the user properties, are verified as they are', (t) => {
  const { lab, verify, sign } = openBench(t);
  const nowMs = lab.clock.nowMs();
  const verified = verify(sign(PLAIN, { ctr: 1, ts: nowMs }));
  assert.ok(VerifiedMessage.is(verified));
  assert.deepEqual(verified.body, PLAIN.payload);
  assert.deepEqual([verified.atMs, verified.kid, verified.counterMax], [nowMs, '1.1', 1]);
  assert.deepEqual([verified.qos, verified.retain, verified.expiryS], [1, false, undefined]);
});

test('QoS, retain flag, expiry and properties go on with the message', (t) => {
  const { verify, sign } = openBench(t);
  const signed = sign(RICH, { ctr: 1 });
  const verified = verify(signed);
  assert.ok(VerifiedMessage.is(verified));
  assert.deepEqual([verified.qos, verified.retain, verified.expiryS], [2, true, 60]);
  const { messageExpiryS, ...forwarded } = signed.properties;
  assert.equal(messageExpiryS, 60);
  assert.deepEqual(decodeForwarded(verified.properties), forwarded);
});

test('a message without properties costs none: they are one shared empty array', (t) => {
  const { verify, hmac } = openBench(t);
  const messages = [1, 2].map((ctr) => {
    const payload = `{"ctr": ${ctr}, "sig": "${hmac(`{"ctr": ${ctr}}`)}"}`;
    const verified = verify({ ...PLAIN, payload: Buffer.from(payload) });
    assert.ok(VerifiedMessage.is(verified));
    return verified.properties;
  });
  assert.equal(messages[0]?.length, 0);
  assert.equal(messages[0], messages[1]);
});

test('whatever is covered cannot be changed, added or taken away [E_VERIFY_SIG]', (t) => {
  const { lab, verify, sign } = openBench(t);
  const nowMs = lab.clock.nowMs();
  const signed = sign(RICH, { ctr: 7, ts: nowMs });
  const plain = sign(PLAIN, { ctr: 8 });
  const users = signed.properties.userProperties ?? [];
  const changed: Record<string, InboundPublish> = {
    topic: { ...signed, topic: 'd/pump-1/telemetry/u' },
    'payload, a bit': { ...signed, payload: Uint8Array.of(0xfe, 0, 0x7b, 0x0a) },
    'payload, shorter': { ...signed, payload: signed.payload.subarray(1) },
    'payload, longer': { ...signed, payload: Uint8Array.of(0, ...signed.payload) },
    'retain taken away': { ...signed, retain: false },
    'retain added': { ...plain, retain: true },
    ctr: withValue(signed, 'ctr', () => '9'),
    ts: withValue(signed, 'ts', () => `${nowMs - 1}`),
    'ts taken away': withValue(signed, 'ts', () => undefined),
    'ts added': withUserProperties(plain, [
      ...(plain.properties.userProperties ?? []),
      ['ts', `${nowMs}`],
    ]),
    sig: withValue(signed, 'sig', (sig) => `${sig.slice(1)}${sig.slice(0, 1)}`),
    'sig of zeros': withValue(signed, 'sig', () => '0'.repeat(64)),
    format: withProperties(signed, { payloadFormat: 0 }),
    'format taken away': withProperties(signed, { payloadFormat: undefined }),
    'content type': withProperties(signed, { contentType: 'application/json' }),
    'content type taken away': withProperties(signed, { contentType: undefined }),
    'content type added': withProperties(plain, { contentType: '' }),
    'response topic': withProperties(signed, { responseTopic: 'd/pump-1/ack/y' }),
    'response topic added': withProperties(plain, { responseTopic: 'x' }),
    'correlation data': withProperties(signed, { correlationData: Uint8Array.of(1) }),
    'correlation data added': withProperties(plain, { correlationData: new Uint8Array(0) }),
    'user property': withValue(signed, 'unit', () => 'C'),
    'user property taken away': withValue(signed, 'unit', () => undefined),
    'user property added': withUserProperties(signed, [...users, ['unit', 'K']]),
    'user properties in another order': withUserProperties(signed, users.toReversed()),
    'signed on another topic': { ...plain, topic: 'd/pump-1/state' },
  };
  for (const [what, publish] of Object.entries(changed)) {
    assert.equal(codeOf(verify(publish)), 'E_VERIFY_SIG', what);
  }
  // None of them has used up a counter, and what only belongs to the way may differ.
  assert.ok(
    VerifiedMessage.is(verify({ ...withProperties(signed, { messageExpiryS: 59 }), qos: 0 })),
  );
  assert.ok(VerifiedMessage.is(verify({ ...plain, qos: 0 })));
});

test('the order of the four signature properties does not matter', (t) => {
  const { lab, verify, sign } = openBench(t);
  const signed = sign(PLAIN, { ctr: 1, ts: lab.clock.nowMs() });
  const users = signed.properties.userProperties ?? [];
  assert.equal(users.length, 4);
  assert.ok(VerifiedMessage.is(verify(withUserProperties(signed, users.toReversed()))));
});

test('a key id other than the current one is refused before any key is used [E_VERIFY_KID]', (t) => {
  const { verify, sign } = openBench(t);
  for (const kid of ['1.0', '1.2', '2.1', '', '1.1 ', '01.1']) {
    assert.equal(codeOf(verify(sign(PLAIN, { ctr: 1, kid }))), 'E_VERIFY_KID', kid);
  }
  const without = withValue(sign(PLAIN, { ctr: 1 }), 'kid', () => undefined);
  assert.equal(codeOf(verify(without)), 'E_VERIFY_KID');
});

test('a counter is accepted once, whichever form it comes in [E_VERIFY_REPLAY]', (t) => {
  const { verify, sign, hmac } = openBench(t);
  const form1 = (ctr: number): InboundPublish => ({
    ...PLAIN,
    payload: Buffer.from(`{"ctr": ${ctr}, "sig": "${hmac(`{"ctr": ${ctr}}`)}"}`),
  });
  assert.ok(VerifiedMessage.is(verify(sign(PLAIN, { ctr: 5 }))));
  assert.equal(codeOf(verify(sign(PLAIN, { ctr: 5 }))), 'E_VERIFY_REPLAY');
  assert.equal(codeOf(verify(form1(5))), 'E_VERIFY_REPLAY');
  assert.ok(VerifiedMessage.is(verify(form1(6))));
  assert.equal(codeOf(verify(sign(PLAIN, { ctr: 6 }))), 'E_VERIFY_REPLAY');
  const highest = 5_000;
  assert.ok(VerifiedMessage.is(verify(sign(PLAIN, { ctr: highest }))));
  const oldest = highest - REPLAY_WINDOW_SIZE + 1;
  assert.equal(codeOf(verify(sign(PLAIN, { ctr: oldest - 1 }))), 'E_VERIFY_REPLAY');
  assert.ok(VerifiedMessage.is(verify(sign(PLAIN, { ctr: oldest }))));
  assert.ok(VerifiedMessage.is(verify(sign(PLAIN, { ctr: Number.MAX_SAFE_INTEGER }))));
  assert.equal(codeOf(verify(sign(PLAIN, { ctr: 2 ** 53 }))), 'E_VERIFY_COUNTER_FORM');
});

test('time must lie within the tolerance of the class, both ends included', (t) => {
  const { lab, verify, sign } = openBench(t);
  const nowMs = lab.clock.nowMs();
  const cases: [aheadMs: number, code: string | undefined][] = [
    [-7 * 86_400_000 - 1, 'E_VERIFY_STALE'],
    [-300_001, undefined],
    [-300_000, undefined],
    [300_000, undefined],
    [300_001, 'E_VERIFY_FUTURE'],
  ];
  for (const [i, [aheadMs, code]] of cases.entries()) {
    const verified = verify(sign(PLAIN, { ctr: i, ts: nowMs + aheadMs }));
    if (code === undefined) assert.ok(VerifiedMessage.is(verified), `${aheadMs}`);
    else assert.equal(codeOf(verified), code);
  }
  // Seconds are no milliseconds here: they are long ago.
  const inSeconds = Math.round(nowMs / 1_000);
  assert.equal(codeOf(verify(sign(PLAIN, { ctr: 9, ts: inSeconds }))), 'E_VERIFY_STALE');
});

test('the payload may have as many bytes as in form 1 [E_VERIFY_SIZE]', (t) => {
  const { verify, sign } = openBench(t);
  const { bytesMax } = SIGNED_JSON_LIMITS;
  const largest = { ...PLAIN, payload: new Uint8Array(bytesMax) };
  assert.ok(VerifiedMessage.is(verify(sign(largest, { ctr: 1 }))));
  const larger = { ...PLAIN, payload: new Uint8Array(bytesMax + 1) };
  assert.equal(codeOf(verify(sign(larger, { ctr: 2 }))), 'E_VERIFY_SIZE');
  assert.ok(VerifiedMessage.is(verify(sign({ ...PLAIN, payload: new Uint8Array(0) }, { ctr: 2 }))));
});

test('a signature of one form is none in the other [E_VERIFY_SIG]', (t) => {
  const { verify, sign, hmac } = openBench(t);
  const canonical = '{"ctr": 1}';
  const sig = hmac(canonical);
  const payload = Buffer.from(`{"ctr": 1, "sig": "${sig}"}`);
  // Form 1 as form 2, over the signed text and over the payload as it was sent.
  for (const bytes of [Buffer.from(canonical), payload]) {
    const moved = withUserProperties({ ...PLAIN, payload: bytes }, [
      ['kid', '1.1'],
      ['ctr', '1'],
      ['sig', sig],
    ]);
    assert.equal(codeOf(verify(moved)), 'E_VERIFY_SIG');
  }
  // Form 2 as form 1: without its properties, and with its signature in the payload.
  const json = { ...PLAIN, payload: Buffer.from(canonical) };
  const signed = sign(json, { ctr: 1 });
  assert.equal(codeOf(verify({ ...signed, properties: {} })), 'E_VERIFY_SIG_MISSING');
  const moved = signed.properties.userProperties?.find(([name]) => name === 'sig')?.[1] ?? '';
  const inside = Buffer.from(`{"ctr": 1, "sig": "${moved}"}`);
  assert.equal(codeOf(verify({ ...PLAIN, payload: inside })), 'E_VERIFY_SIG');
  assert.ok(VerifiedMessage.is(verify(signed)));
});

test('any bytes on any topic verify once, and not with another bit', (t) => {
  const { verify, sign } = openBench(t);
  let ctr = 0;
  const payload = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const level = fc.stringMatching(/^[a-z0-9 ü€]{1,10}$/u);
  fc.assert(
    fc.property(payload, level, fc.nat(), (payload, level, at) => {
      ctr += 1;
      const signed = sign({ ...PLAIN, topic: `d/pump-1/telemetry/${level}`, payload }, { ctr });
      const altered = payload.slice();
      const i = at % payload.length;
      altered[i] = (altered[i] ?? 0) ^ (1 << (at % 8));
      assert.equal(codeOf(verify({ ...signed, payload: altered })), 'E_VERIFY_SIG');
      assert.ok(VerifiedMessage.is(verify(signed)));
      assert.equal(codeOf(verify(signed)), 'E_VERIFY_REPLAY');
    }),
  );
});

test('a will is verified when it is left and restamped when it is published', (t) => {
  const { lab, verifier, verify, sign } = openBench(t);
  const leftMs = lab.clock.nowMs();
  const will = verify(sign(RICH, { ctr: 1, ts: leftMs }));
  assert.ok(VerifiedMessage.is(will));
  assert.ok(VerifiedMessage.is(verify(sign(PLAIN, { ctr: 50 }))));
  lab.clock.advance(3_600_000);
  const published = verifier.restamp(will);
  assert.ok(VerifiedMessage.is(published));
  // The window must not fall back to where it was when the will was left.
  assert.deepEqual([published.atMs, published.counterMax], [leftMs + 3_600_000, 50]);
  const { topic, body, retain, qos, expiryS, properties, principal, kid } = will;
  const { deviceId, contentKeyRef } = will;
  const same = { topic, body, retain, qos, expiryS, properties, principal, kid };
  assert.deepEqual(Object.assign({}, published), {
    ...same,
    kind: 'message',
    deviceId,
    contentKeyRef,
    atMs: leftMs + 3_600_000,
    counterMax: 50,
    isLate: false,
  });
  assert.equal(codeOf(verify(sign(RICH, { ctr: 1, ts: lab.clock.nowMs() }))), 'E_VERIFY_REPLAY');
});

test('only the verifier that verified a message restamps it', (t) => {
  const { lab, verify, sign } = openBench(t);
  const will = verify(sign(PLAIN, { ctr: 1 }));
  assert.ok(VerifiedMessage.is(will));
  for (const id of ['pump-1', 'pump-2']) {
    const { device } = lab.enroll(id);
    const keys = lab.payloadKeys.of(device);
    const other = new DeviceVerifier({ device, keys, clock: lab.clock, counters: NO_COUNTERS });
    assert.throws(() => other.restamp(will), /verifier that verified/u);
  }
});
