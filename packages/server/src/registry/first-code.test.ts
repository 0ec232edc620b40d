import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemRandom } from '../kernel/index.ts';
import { FIRST_CODE_ATTEMPTS_MAX, FirstCode } from './first-code.ts';

function openCode(): { firstCode: FirstCode; text: string } {
  const firstCode = new FirstCode();
  return { firstCode, text: firstCode.renew(systemRandom).expose() };
}

test('a code is four groups of four characters that nobody confuses', () => {
  const random = (count: number) => Uint8Array.from({ length: count }, (_, i) => i + 240);
  const code = new FirstCode().renew(random);
  assert.equal(code.expose(), 'GHJK-MNPQ-RSTV-WXYZ');
  assert.equal(String(code), '[redacted]');
});

test('a code may be typed in any case and grouping, with look-alikes', () => {
  const { firstCode, text } = openCode();
  const noise = fc.array(fc.constantFrom('', ' ', '-', '\t'), { minLength: 20, maxLength: 20 });
  const alike: Record<string, readonly string[]> = { '0': ['0', 'o', 'O'], '1': ['1', 'i', 'L'] };
  fc.assert(
    fc.property(noise, fc.nat(2), fc.boolean(), (gaps, choice, isLower) => {
      const typed = text.split('').map((character, i) => {
        const written = alike[character]?.[choice] ?? character;
        return (isLower ? written.toLowerCase() : written) + (gaps[i] ?? '');
      });
      assert.ok(firstCode.matches(typed.join('')));
    }),
  );
});

test('every other text is wrong', () => {
  const { firstCode, text } = openCode();
  const plain = text.replaceAll('-', '');
  for (const wrong of ['', plain.slice(0, 15), `${plain}0`, plain.split('').reverse().join('')]) {
    assert.ok(!firstCode.matches(wrong), wrong);
  }
  assert.ok(firstCode.matches(plain));
});

test('a code lasts until the last allowed wrong attempt', () => {
  const { firstCode, text } = openCode();
  for (let i = 1; i < FIRST_CODE_ATTEMPTS_MAX; i++) assert.ok(!firstCode.matches('wrong'));
  assert.ok(firstCode.matches(text));
  assert.ok(!firstCode.matches('wrong'));
  assert.ok(!firstCode.matches(text));
});

test('a new code voids the old one, and begins to count anew', () => {
  const { firstCode, text } = openCode();
  for (let i = 1; i < FIRST_CODE_ATTEMPTS_MAX; i++) firstCode.matches('wrong');
  const next = firstCode.renew(systemRandom).expose();
  assert.ok(!firstCode.matches(text));
  assert.ok(firstCode.matches(next));
  firstCode.end();
  assert.ok(!firstCode.matches(next));
});

test('where there is no code, none is right', () => {
  assert.ok(!new FirstCode().matches(''));
});
