import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { localTime, spanText } from './local-time.ts';
import { jsonLine, printable, shorten } from './printable.ts';
import { nearest } from './suggest.ts';
import { table } from './table.ts';

const text = fc.string({ unit: 'binary' });

describe('printable', () => {
  it('leaves nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(text, (value) => {
        assert.doesNotMatch(printable(value), /[\p{C}\u2028\u2029]/u);
      }),
    );
    assert.equal(printable('\u001B]0;x\u0007\u202Eé🌡'), String.raw`\u{1b}]0;x\u{7}\u{202e}é🌡`);
  });

  it('keeps JSON the same for programs', () => {
    fc.assert(
      fc.property(fc.dictionary(text, text), (value) => {
        const line = jsonLine(value);
        assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify(value)));
        assert.doesNotMatch(line.slice(0, -1), /[\p{C}\u2028\u2029]/u);
      }),
    );
  });
});

describe('shorten', () => {
  it('cuts between characters, to the length', () => {
    assert.equal(shorten('🌡🌡🌡', 3), '🌡🌡🌡');
    assert.equal(shorten('🌡🌡🌡🌡', 3), '🌡🌡…');
  });
});

describe('nearest', () => {
  it('finds what was meant', () => {
    const words = ['device list', 'device add', 'readings', 'up'];
    assert.equal(nearest('device lsit', words), 'device list');
    assert.equal(nearest('readnigs', words), 'readings');
    assert.equal(nearest('u', words), 'up');
    assert.equal(nearest('nonsense', words), undefined);
  });

  it('finds a word in which two neighbors are swapped', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3, maxLength: 9 }), fc.nat(7), (word, seed) => {
        const at = seed % (word.length - 1);
        const swapped = `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`;
        assert.equal(nearest(swapped, [word]), word);
      }),
    );
  });
});

describe('table', () => {
  it('lines up by what is seen, not by escapes', () => {
    const rows = [
      ['\u001B[1mab\u001B[22m', 'x'],
      ['🌡', 'y'],
    ];
    assert.equal(table(rows, 1), ' \u001B[1mab\u001B[22m  x\n 🌡   y\n');
  });
});

describe('times', () => {
  it('are local, to the second', () => {
    assert.equal(localTime('2026-07-01T22:30:59.999Z', 'Europe/Berlin'), '2026-07-02 00:30:59');
    assert.equal(localTime('2026-11-21T00:00:00Z', 'UTC'), '2026-11-21 00:00:00');
  });

  it('are spans of two units', () => {
    for (const [ms, span] of [
      [-1, '0 s'],
      [999, '0 s'],
      [61_000, '1 min 1 s'],
      [3_600_000, '1 h'],
      [3 * 86_400_000 + 3_600_000, '3 d 1 h'],
    ] as const) {
      assert.equal(spanText(ms), span);
    }
  });
});
