import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Refusal, SIGNED_JSON_LIMITS } from '@holdfast/protocol';
import { Grant } from '../authorize/index.ts';
import { openPermissions } from '../authorize/lab.testing.ts';
import { type Lab, codeOf, openLab, parsed } from '../session/lab.testing.ts';
import { DeviceVerifier, type DeviceVerifierDeps } from './device-verifier.ts';
import { NO_COUNTERS } from './replay-window.ts';
import { VerifiedMessage } from './verified-message.ts';

interface Bench {
  readonly lab: Lab;
  readonly key: Uint8Array;
  readonly verify: (payload: string) => VerifiedMessage | Refusal;
  /** Canonical text with its signature. */
  readonly sign: (canonical: string) => string;
}

const WEEK_MS = 7 * 86_400_000;

function openBench(t: TestContext, more: Pick<DeviceVerifierDeps, 'lateMaxMs'> = {}): Bench {
  const lab = openLab(t);
  const { device, certificate } = lab.enroll('pump-1');
  const grant = new Grant(lab.admit(certificate), openPermissions(lab).permissions);
  const keys = lab.payloadKeys.of(device);
  const key = keys.payloadKey.expose();
  const deps = { device, keys, clock: lab.clock, counters: NO_COUNTERS };
  const verifier = new DeviceVerifier({ ...deps, ...more });
  return {
    lab,
    key,
    verify: (payload) => {
      const request = {
        topic: 'd/pump-1/telemetry',
        payload: Buffer.from(payload),
        retain: false,
        qos: 1,
        properties: {},
      } as const;
      return verifier.verify(parsed(grant.permitPublish(request)));
    },
    sign: (canonical) => {
      const sig = createHmac('sha256', key).update(canonical).digest('hex');
      return `${canonical.slice(0, -1)}, "sig": "${sig}"}`;
    },
  };
}

test('a signed, fresh and new payload is verified, byte for byte', (t) => {
  const { verify, sign } = openBench(t);
  const payload = sign('{"ctr": 1, "temp": 23.0}');
  const verified = verify(payload);
  assert.ok(VerifiedMessage.is(verified));
  assert.equal(Buffer.from(verified.body).toString(), payload);
  assert.equal(verified.kid, '1.1');
  assert.equal(verified.counterMax, 1);
  assert.ok(
    !VerifiedMessage.is(Object.assign({}, verified)),
    'an object of the same shape is no proof',
  );
});

test('an altered payload is refused and leaves no trace in the window [E_VERIFY_SIG]', (t) => {
  const { verify, sign } = openBench(t);
  const payload = sign('{"ctr": 9, "temp": 23.0}');
  assert.equal(codeOf(verify(payload.replace('23.0', '23'))), 'E_VERIFY_SIG');
  assert.equal(codeOf(verify(payload.replace('"ctr": 9', '"ctr": 99'))), 'E_VERIFY_SIG');
  assert.ok(VerifiedMessage.is(verify(payload)));
});

test('a counter is accepted once [E_VERIFY_REPLAY]', (t) => {
  const { verify, sign } = openBench(t);
  const payload = sign('{"ctr": 1, "temp": 23.0}');
  assert.ok(VerifiedMessage.is(verify(payload)));
  assert.equal(codeOf(verify(payload)), 'E_VERIFY_REPLAY');
  assert.equal(codeOf(verify(sign('{"ctr": 1, "temp": 24.0}'))), 'E_VERIFY_REPLAY');
  assert.ok(VerifiedMessage.is(verify(sign('{"seq": 2}'))));
});

test('time must lie within the tolerance of the class, both ends included', (t) => {
  const { verify, sign, lab } = openBench(t);
  const nowMs = lab.clock.nowMs();
  let ctr = 0;
  const at = (ms: number): VerifiedMessage | Refusal => {
    ctr += 1;
    return verify(sign(`{"ctr": ${ctr}, "ts": ${ms}}`));
  };
  assert.ok(VerifiedMessage.is(at(nowMs)));
  assert.ok(VerifiedMessage.is(at(nowMs - 300_000)));
  assert.ok(VerifiedMessage.is(at(nowMs + 300_000)));
  assert.equal(codeOf(at(nowMs - WEEK_MS - 1)), 'E_VERIFY_STALE');
  assert.equal(codeOf(at(nowMs + 300_001)), 'E_VERIFY_FUTURE');
  assert.ok(VerifiedMessage.is(verify(sign(`{"ctr": 50, "ts": ${nowMs / 1_000}}`))));
});

test('what was held back is accepted once, for as long as its class says, and marked late', (t) => {
  let lateMaxMs = 3_600_000;
  const bench = openBench(t, { lateMaxMs: () => lateMaxMs });
  const nowMs = bench.lab.clock.nowMs();
  const verify = (ctr: number, agoMs: number): boolean | string => {
    const verified = bench.verify(bench.sign(`{"ctr": ${ctr}, "ts": ${nowMs - agoMs}}`));
    return VerifiedMessage.is(verified) ? verified.isLate : codeOf(verified);
  };
  assert.equal(verify(5, 300_000), false);
  assert.equal(verify(6, 300_001), true);
  assert.equal(verify(7, 3_600_000), true);
  assert.equal(verify(8, 3_600_001), 'E_VERIFY_STALE');
  // The window alone decides what is new: a message that another one has overtaken is.
  assert.equal(verify(3, 400_000), true);
  for (const ctr of [3, 5, 6, 7]) assert.equal(verify(ctr, 400_000), 'E_VERIFY_REPLAY');
  assert.equal(verify(9_000, 0), false);
  assert.equal(verify(8, 400_000), 'E_VERIFY_REPLAY', 'older than the window');
  lateMaxMs = 0;
  assert.equal(verify(9_001, 300_000), false);
  assert.equal(verify(9_002, 300_001), 'E_VERIFY_STALE');
});

test('a stale message does not use up its counter', (t) => {
  const { verify, sign, lab } = openBench(t);
  const old = sign(`{"ctr": 1, "ts": ${lab.clock.nowMs() - WEEK_MS - 1}}`);
  assert.equal(codeOf(verify(old)), 'E_VERIFY_STALE');
  assert.ok(VerifiedMessage.is(verify(sign('{"ctr": 1}'))));
});

test('what is no signed JSON is refused before any key is used', (t) => {
  const { verify } = openBench(t);
  const sig = 'a'.repeat(64);
  const cases: [code: string, payload: string][] = [
    ['E_VERIFY_JSON', ''],
    ['E_VERIFY_JSON', '[1]'],
    ['E_VERIFY_JSON', `{"ctr": 1, "t": NaN, "sig": "${sig}"}`],
    ['E_VERIFY_DUPLICATE_KEY', `{"ctr": 1, "a": 1, "a": 2, "sig": "${sig}"}`],
    ['E_VERIFY_SIG_MISSING', '{"ctr": 1}'],
    ['E_VERIFY_SIG_FORM', `{"ctr": 1, "sig": "${sig.slice(1)}"}`],
    ['E_VERIFY_SIG_FORM', `{"ctr": 1, "sig": "${sig.toUpperCase()}"}`],
    ['E_VERIFY_COUNTER_MISSING', `{"sig": "${sig}"}`],
    ['E_VERIFY_SIZE', `{"a": "${'x'.repeat(SIGNED_JSON_LIMITS.bytesMax)}"}`],
    [
      'E_VERIFY_DEPTH',
      `${'{"a": '.repeat(SIGNED_JSON_LIMITS.depthMax + 1)}1${'}'.repeat(SIGNED_JSON_LIMITS.depthMax + 1)}`,
    ],
  ];
  for (const [code, payload] of cases)
    assert.equal(codeOf(verify(payload)), code, payload.slice(0, 80));
});

test('after a restart the window goes on where it was', (t) => {
  const lab = openLab(t);
  const { device, certificate } = lab.enroll('pump-1');
  const keys = lab.payloadKeys.of(device);
  const verifier = new DeviceVerifier({
    device,
    keys,
    clock: lab.clock,
    counters: { highest: 10, unknownUpTo: 10, seen: [] },
  });
  const grant = new Grant(lab.admit(certificate), openPermissions(lab).permissions);
  const verify = (ctr: number): VerifiedMessage | Refusal => {
    const canonical = `{"ctr": ${ctr}}`;
    const sig = createHmac('sha256', keys.payloadKey.expose()).update(canonical).digest('hex');
    const payload = Buffer.from(`{"ctr": ${ctr}, "sig": "${sig}"}`);
    const publish = { topic: 'd/pump-1/state', payload, retain: false, qos: 1 } as const;
    return verifier.verify(parsed(grant.permitPublish({ ...publish, properties: {} })));
  };
  assert.equal(codeOf(verify(10)), 'E_VERIFY_REPLAY');
  assert.equal(codeOf(verify(9)), 'E_VERIFY_REPLAY');
  assert.ok(VerifiedMessage.is(verify(11)));
});
