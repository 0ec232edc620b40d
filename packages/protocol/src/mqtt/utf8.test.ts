import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Refusal } from '../refusal.ts';
import { checkText, encodeUtf8, readUtf8 } from './utf8.ts';

function detailOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const text = readUtf8(bytes, 0, bytes.length);
  assert.ok(text instanceof Refusal, `accepted ${hex}`);
  assert.equal(text.code, 'E_WIRE_PACKET');
  return text.detail;
}

describe('readUtf8', () => {
  test('refuses what is not well-formed [MQTT-1.5.3-1]', () => {
    const illFormed = {
      'a surrogate, low end': 'eda080',
      'a surrogate, high end': 'edbfbf',
      'a surrogate pair in CESU-8': 'eda081edb080',
      'an overlong slash': 'c0af',
      'an overlong U+0000': 'c080',
      'an overlong of three bytes': 'e080af',
      'an overlong of four bytes': 'f08080af',
      'beyond U+10FFFF': 'f4908080',
      'a lone continuation byte': '80',
      'a cut sequence': 'e282',
      'a byte that never occurs': 'ff',
    };
    for (const [what, hex] of Object.entries(illFormed)) {
      for (const bytes of [hex, `61${hex}`, `${hex}61`]) {
        assert.match(detailOf(bytes), /\[MQTT-1\.5\.3-1\]/u, what);
      }
    }
  });

  test('refuses U+0000 [MQTT-1.5.3-2] [MQTT-4.7.3-2]', () => {
    for (const hex of ['00', '610062', 'c3a900']) {
      assert.match(detailOf(hex), /\[MQTT-1\.5\.3-2\]/u);
    }
  });

  test('keeps U+FEFF wherever it stands [MQTT-1.5.3-3]', () => {
    const bytes = Buffer.from('efbbbf61efbbbf', 'hex');
    assert.equal(readUtf8(bytes, 0, bytes.length), '\uFEFFa\uFEFF');
    assert.equal(Buffer.from(encodeUtf8('\uFEFFa\uFEFF')).toString('hex'), 'efbbbf61efbbbf');
  });

  test('refuses control characters and non-characters, both sides of each range', () => {
    const unfit = [0x01, 0x1f, 0x7f, 0x80, 0x9f, 0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x10ffff];
    for (const point of unfit) {
      assert.match(detailOf(Buffer.from(String.fromCodePoint(point)).toString('hex')), /§1\.5\.3/u);
    }
    const fit = [0x20, 0x7e, 0xa0, 0xd7ff, 0xe000, 0xfdcf, 0xfdf0, 0xfffd, 0x10000, 0x2a6d4];
    for (const point of fit) {
      const text = String.fromCodePoint(point);
      const bytes = Buffer.from(text);
      assert.equal(readUtf8(bytes, 0, bytes.length), text);
    }
  });

  test('reads only the bytes it is told to, from any Uint8Array', () => {
    const bytes = Buffer.from('\0abc\0');
    assert.equal(readUtf8(bytes, 1, 4), 'abc');
    assert.equal(readUtf8(Uint8Array.from(bytes), 1, 4), 'abc');
    assert.equal(readUtf8(bytes, 2, 2), '');
  });

  test('agrees with checkText on every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = encodeUtf8(text);
        const read = readUtf8(bytes, 0, bytes.length);
        assert.deepEqual(read, checkText(text) ?? text);
      }),
    );
  });
});

describe('checkText', () => {
  test('refuses lone surrogates [MQTT-1.5.3-1]', () => {
    for (const text of ['\uD800', 'a\uDFFF', '\uDC00\uD800']) {
      assert.match(checkText(text)?.detail ?? '', /\[MQTT-1\.5\.3-1\]/u);
    }
    assert.equal(checkText('\u{1F600}'), undefined);
  });
});
