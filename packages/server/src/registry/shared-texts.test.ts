/** Goal: every device has the text that it has, and what nobody has is kept no longer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SharedTexts } from './shared-texts.ts';

test('each device has its last text, however they change, and no more texts are kept', () => {
  const change = fc.tuple(fc.nat(4), fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f', 'g'));
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const texts = new SharedTexts();
      const numbers = [0, 0, 0, 0, 0];
      const expected = ['', '', '', '', ''];
      for (const [device, text] of changes) {
        numbers[device] = texts.exchange(numbers[device] ?? 0, text);
        expected[device] = text;
      }
      assert.deepEqual(
        numbers.map((number) => texts.values[number]),
        expected,
      );
      const kept = texts.values.filter((text) => text !== '');
      assert.equal(kept.length, new Set(expected.filter((text) => text !== '')).size);
      assert.ok(texts.values.length <= 1 + numbers.length + 1, 'it grows with what devices say');
    }),
  );
});
