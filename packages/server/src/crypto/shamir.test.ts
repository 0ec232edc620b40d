import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault, Secret, systemRandom } from '../kernel/index.ts';
import { formatShare, joinRecoveryShares, makeShares, parseShare } from './recovery-share.ts';
import { joinShares, splitSecret } from './shamir.ts';

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === code;
}

test('any shares, as many as the threshold, give the secret', () => {
  const shape = fc
    .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 0, max: 6 }))
    .map(([threshold, more]) => ({ threshold, count: threshold + more }));
  const secrets = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      shape,
      secrets,
      fc.infiniteStream(fc.nat()),
      ({ threshold, count }, secret, picks) => {
        const shares = splitSecret(secret, { count, threshold, random: systemRandom });
        const left = [...shares];
        const used = Array.from({ length: threshold }, () => {
          const at = Number(picks.next().value) % left.length;
          return left.splice(at, 1)[0] ?? assert.fail('no share left');
        });
        assert.deepEqual(joinShares(used), secret);
      },
    ),
  );
});

test('one share fewer says nothing: every secret fits to it', () => {
  // With a known coefficient, the share at x of the secret s is s + c·x: all values occur.
  const seen = new Set<number>();
  for (let coefficient = 0; coefficient < 256; coefficient += 1) {
    const random = () => new Uint8Array([coefficient]);
    const [share] = splitSecret(new Uint8Array([42]), { count: 2, threshold: 2, random });
    seen.add(share?.y[0] ?? -1);
  }
  assert.equal(seen.size, 256);
});

test('a set worked out by hand', () => {
  // s = 0x53, c = 0xca in GF(2^8) with 0x11b: y(1) = 53 + ca = 99, y(2) = 53 + 8f = dc.
  const random = () => new Uint8Array([0xca]);
  const shares = splitSecret(new Uint8Array([0x53]), { count: 2, threshold: 2, random });
  assert.deepEqual(
    shares.map(({ y }) => y[0]),
    [0x99, 0xdc],
  );
});

test('shares that are none, or of which one comes twice, are refused', () => {
  const y = new Uint8Array(4);
  const random = systemRandom;
  assert.throws(
    () =>
      joinShares([
        { x: 1, y },
        { x: 1, y },
      ]),
    RangeError,
  );
  assert.throws(
    () =>
      joinShares([
        { x: 0, y },
        { x: 1, y },
      ]),
    RangeError,
  );
  assert.throws(
    () =>
      joinShares([
        { x: 1, y },
        { x: 2, y: new Uint8Array(5) },
      ]),
    RangeError,
  );
  assert.throws(() => splitSecret(y, { count: 2, threshold: 1, random }), RangeError);
  assert.throws(() => splitSecret(y, { count: 2, threshold: 3, random }), RangeError);
  assert.throws(() => splitSecret(y, { count: 256, threshold: 2, random }), RangeError);
});

test('a recovery share survives being typed', () => {
  const key = new Secret(systemRandom(32));
  const { texts } = makeShares(key, { count: 3, threshold: 2, random: systemRandom });
  for (const text of texts) assert.match(text, /^HFS1(-[0-9A-HJKMNP-TV-Z]{1,5})+$/u);
  const typed = [texts[2] ?? '', texts[0] ?? ''].map((text) =>
    text.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l'),
  );
  const opened = joinRecoveryShares(typed.map(parseShare));
  assert.deepEqual(Buffer.from(opened.expose()), Buffer.from(key.expose()));
});

test('every wrong character of a share is found [E_CRYPTO_SHARE]', () => {
  const value = systemRandom(32);
  const text = formatShare({ setId: '01020304', threshold: 2, index: 1, value });
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '-') continue;
    for (const other of ['Z', '2']) {
      if (text[at] === other) continue;
      const wrong = text.slice(0, at) + other + text.slice(at + 1);
      // The last character holds two bits that mean nothing.
      if (at === text.length - 1) continue;
      assert.throws(() => parseShare(wrong), hasCode('E_CRYPTO_SHARE'), `at ${at}`);
    }
  }
  for (const wrong of ['', 'HFS1', text.slice(0, -6), `${text}-00000`, `HFS2${text.slice(4)}`]) {
    assert.throws(() => parseShare(wrong), hasCode('E_CRYPTO_SHARE'), wrong);
  }
});

test('shares of two sets, or too few, are told apart [E_CRYPTO_SHARE]', () => {
  const make = () =>
    makeShares(new Secret(systemRandom(32)), { count: 3, threshold: 2, random: systemRandom });
  const [one, other] = [make().texts.map(parseShare), make().texts.map(parseShare)];
  const [first, second] = [one[0] ?? assert.fail(), other[1] ?? assert.fail()];
  assert.throws(() => joinRecoveryShares([]), hasCode('E_CRYPTO_SHARE'));
  assert.throws(() => joinRecoveryShares([first]), hasCode('E_CRYPTO_SHARE'));
  assert.throws(() => joinRecoveryShares([first, first]), hasCode('E_CRYPTO_SHARE'));
  assert.throws(() => joinRecoveryShares([first, second]), hasCode('E_CRYPTO_SHARE'));
});
