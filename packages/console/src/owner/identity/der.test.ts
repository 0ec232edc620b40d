import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEQUENCE, ecdsaSignature, element, unsigned } from './der.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a length is written in its shortest form, on both sides of each limit', () => {
  const heads = new Map([
    [0, '3000'],
    [0x7f, '307f'],
    [0x80, '308180'],
    [0xff, '3081ff'],
    [0x100, '30820100'],
    [0xff_ff, '3082ffff'],
  ]);
  for (const [length, head] of heads) {
    const whole = element(SEQUENCE, new Uint8Array(length));
    assert.equal(hex(whole.slice(0, whole.length - length)), head);
  }
  assert.throws(() => element(SEQUENCE, new Uint8Array(0x1_00_00)), RangeError);
});

test('a number has no needless zeros, and one where it would look negative', () => {
  const bytes = (text: string): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(Buffer.from(text, 'hex'));
  assert.equal(hex(unsigned(bytes('00'))), '020100');
  assert.equal(hex(unsigned(bytes('00007f'))), '02017f');
  assert.equal(hex(unsigned(bytes('80'))), '02020080');
  assert.equal(hex(unsigned(bytes('0001ff'))), '020201ff');
  assert.equal(hex(ecdsaSignature(bytes('000100ff'))), '3007020101020200ff');
});
