import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatPairing, parsePairing } from './pairing-text.ts';

const pin = 'A'.repeat(43);
const good = {
  host: 'hub.example',
  port: 8443,
  of: 'pump-1',
  anchorPin: pin,
  code: '0123-ABCD-EFGH-JKMN',
};

test('a pairing text says again what was written into it', () => {
  for (const paired of ['pump-1', 'a', 'a'.repeat(64), 'owner:abcdefghij234567abcd']) {
    for (const host of ['hub.example', '192.0.2.1', '[2001:db8::1]']) {
      const text = { ...good, of: paired, host };
      assert.deepEqual(parsePairing(formatPairing(text)), text);
    }
  }
});

test('what is no pairing text is none', () => {
  const text = formatPairing(good);
  const wrong = [
    '',
    text.replace('pair/1', 'pair/2'),
    text.replace('8443', '0'),
    text.replace('8443', '65536'),
    text.replace('pump-1', 'owner:short'),
    text.replace('pump-1', 'a'.repeat(65)),
    text.replace('pump-1', '+'),
    text.replace(pin, 'A'.repeat(42)),
    text.replace('-JKMN', ''),
    `${text}X`,
  ];
  for (const each of wrong) assert.equal(parsePairing(each), undefined, each);
  assert.notEqual(parsePairing(text.replace('8443', '65535')), undefined);
});

test('no text makes it throw, and what it reads it writes again', () => {
  const parts = fc.oneof(
    fc.string(),
    fc.constantFrom('holdfast-pair/1/', '/', ':', good.code, pin),
  );
  fc.assert(
    fc.property(
      fc.array(parts).map((each) => each.join('')),
      (text) => {
        const read = parsePairing(text);
        if (read !== undefined) assert.equal(parsePairing(formatPairing(read))?.code, read.code);
      },
    ),
  );
});
