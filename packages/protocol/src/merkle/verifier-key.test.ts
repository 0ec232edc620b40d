import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isKeyName } from './note-text.ts';
import { Problem } from './problem.ts';
import { formatVerifierKey, noteKeyId, parseVerifierKey } from './verifier-key.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');

// The example of the specification.
const EXAMPLE = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

test('parses what it prints, for every key name and key [signed-note]', () => {
  const name = fc.string({ unit: 'grapheme' }).filter(isKeyName);
  const publicKey = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(name, publicKey, (name, publicKey) => {
      const text = formatVerifierKey(sha256, { name, publicKey });
      assert.deepEqual(parseVerifierKey(sha256, text), { name, publicKey });
    }),
  );
});

test('refuses every text with one character changed or left out', () => {
  assert.ok(!(parseVerifierKey(sha256, EXAMPLE) instanceof Problem));
  for (let at = 0; at < EXAMPLE.length; at += 1) {
    for (const instead of ['', 'x', '+', ' ', '\n', 'A', '=']) {
      if (instead === EXAMPLE[at]) continue;
      const text = EXAMPLE.slice(0, at) + instead + EXAMPLE.slice(at + 1);
      assert.ok(parseVerifierKey(sha256, text) instanceof Problem, text);
    }
  }
});

test('refuses upper-case key ids, other signature types and key lengths', () => {
  const key = Uint8Array.fromBase64('AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  const withKey = (typed: Uint8Array): string => {
    const preimage = Uint8Array.of(...new TextEncoder().encode('example.com/foo\n'), ...typed);
    const id = sha256(preimage).subarray(0, 4);
    return `example.com/foo+${id.toHex()}+${typed.toBase64()}`;
  };
  assert.equal(withKey(key), EXAMPLE);
  const refused = [
    '',
    '++',
    EXAMPLE.replace('530d903a', '530D903A'),
    EXAMPLE.replace('530d903a', '530d903b'),
    `${EXAMPLE}\n`,
    withKey(key.with(0, 0x04)),
    withKey(key.subarray(0, 32)),
    withKey(Uint8Array.of(...key, 0)),
    withKey(new Uint8Array()),
  ];
  for (const text of refused) assert.ok(parseVerifierKey(sha256, text) instanceof Problem, text);
});

test('does not make an id for what is no key', () => {
  const publicKey = new Uint8Array(32);
  assert.equal(noteKeyId(sha256, { name: 'a', publicKey }).length, 4);
  assert.throws(() => noteKeyId(sha256, { name: 'a b', publicKey }), RangeError);
  for (const length of [31, 33]) {
    const key = { name: 'a', publicKey: new Uint8Array(length) };
    assert.throws(() => noteKeyId(sha256, key), RangeError);
  }
});

test('never throws on any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.base64String(), (text, base64) => {
      assert.ok(parseVerifierKey(sha256, text) instanceof Problem);
      assert.ok(parseVerifierKey(sha256, `a+00000000+${base64}`) instanceof Problem);
    }),
  );
});
