import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from 'uqr';
import { LABELS_HEAD, labelPage } from './labels.ts';

const label = {
  id: 'pump-1',
  class: 'sensor',
  group: '',
  claim: `holdfast-claim/1/holdfast.example:8444/pump-1/${'a'.repeat(43)}/${'B'.repeat(43)}`,
  until: '2026-12-21',
} as const;

/** The dark modules that a drawing has. */
function drawn(html: string): { size: number; dark: Set<string> } {
  const size = Number(/viewBox="0 0 (\d+) /u.exec(html)?.[1]);
  const dark = new Set<string>();
  for (const [, x, y, width] of html.matchAll(/M(\d+) (\d+)\.5h(\d+)/gu)) {
    for (let at = 0; at < Number(width); at += 1) {
      const module = `${Number(x) + at},${y}`;
      assert.ok(!dark.has(module), 'no module is drawn twice');
      dark.add(module);
    }
  }
  return { size, dark };
}

test('the drawing is the QR code of the claim, with its quiet zone', () => {
  const { data, size } = encode(label.claim, { ecc: 'M', border: 4 });
  const found = drawn(labelPage([label]));
  assert.equal(found.size, size);
  const expected = new Set(
    data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`${x},${y}`] : []))),
  );
  assert.deepEqual(found.dark, expected);
  for (const module of found.dark) {
    for (const at of module.split(',').map(Number)) assert.ok(at >= 4 && at < size - 4);
  }
});

test('the longest names fit on a label', () => {
  const long = 'W'.repeat(64);
  assert.match(labelPage([{ ...label, id: long, group: long }]), /<p class="long">/u);
  assert.match(labelPage([label]), /<p><b>pump-1/u);
});

test('a label shows the device, and nothing in it is markup', () => {
  const html = labelPage([{ ...label, id: '<img src=x>', group: '"&' }]);
  assert.ok(
    html.includes('<b>&#60;img src=x&#62;</b><br>sensor<br>&#34;&#38;<br><small>enroll by'),
  );
  assert.ok(!labelPage([label]).includes(label.claim), 'the secret stands in the code only');
  assert.match(LABELS_HEAD, /default-src 'none'/u);
});
