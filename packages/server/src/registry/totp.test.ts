import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { base32, matchingStep, totpCode, totpStep, totpUri } from './totp.ts';

const SECRET = Buffer.from('12345678901234567890', 'ascii');

test('codes are those of the standard [RFC 6238, appendix B, the last 6 digits]', () => {
  const vectors: readonly (readonly [seconds: number, code: string])[] = [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ];
  for (const [seconds, code] of vectors) {
    assert.equal(totpCode(SECRET, totpStep(seconds * 1_000)), code);
  }
});

test('codes are those of the standard it builds on [RFC 4226, appendix D]', () => {
  const codes = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583'];
  codes.forEach((code, counter) => assert.equal(totpCode(SECRET, counter), code));
});

test('a code is good one step before and after its own, and no further', () => {
  const nowMs = 1_700_000_000_000;
  const now = totpStep(nowMs);
  const isGood = (step: number): boolean =>
    matchingStep(SECRET, totpCode(SECRET, step), { nowMs, lastStep: -1 }) === step;
  assert.deepEqual(
    [-2, -1, 0, 1, 2].map((by) => isGood(now + by)),
    [false, true, true, true, false],
  );
});

test('no code of an accepted step or of one before it is good again', () => {
  const nowMs = 1_700_000_000_000;
  const now = totpStep(nowMs);
  const match = (step: number, lastStep: number): number | undefined =>
    matchingStep(SECRET, totpCode(SECRET, step), { nowMs, lastStep });
  assert.equal(match(now, now - 1), now);
  assert.equal(match(now, now), undefined);
  assert.equal(match(now - 1, now), undefined);
  assert.equal(match(now + 1, now), now + 1);
});

test('what is no code of six digits is wrong', () => {
  for (const text of ['', '12345', '1234567', ' 287082', '２８７０８２', '28708a']) {
    assert.equal(matchingStep(SECRET, text, { nowMs: 59_000, lastStep: -1 }), undefined, text);
  }
});

test('base32 is that of the standard [RFC 4648 §10], without padding', () => {
  const vectors = {
    '': '',
    f: 'MY',
    fo: 'MZXQ',
    foo: 'MZXW6',
    foob: 'MZXW6YQ',
    foobar: 'MZXW6YTBOI',
  };
  for (const [text, expected] of Object.entries(vectors)) {
    assert.equal(base32(Buffer.from(text, 'ascii')), expected);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = base32(bytes);
      assert.match(text, /^[A-Z2-7]*$/);
      assert.equal(text.length, Math.ceil((bytes.length * 8) / 5));
    }),
  );
});

test('the key URI says who and where', () => {
  const uri = totpUri({ secret: SECRET, issuer: 'Holdfast iot.example.com', name: 'ada' });
  assert.equal(
    uri,
    'otpauth://totp/Holdfast%20iot.example.com:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' +
      '&issuer=Holdfast%20iot.example.com&algorithm=SHA1&digits=6&period=30',
  );
});
