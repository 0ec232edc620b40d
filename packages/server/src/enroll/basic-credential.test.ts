import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readBasicCredential } from './basic-credential.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('name and password are read, and the password may hold colons', () => {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes(':'));
  fc.assert(
    fc.property(name, fc.string({ unit: 'grapheme' }), (name, password) => {
      const credential = readBasicCredential(basic(`${name}:${password}`));
      assert.equal(credential?.name, name);
      assert.equal(credential.password.expose(), password);
    }),
  );
  assert.equal(readBasicCredential(basic('a:b:c').replace('Basic', 'bASIC'))?.name, 'a');
});

test('anything else is no credential', () => {
  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic ',
    basic('no colon'),
    basic('a:b').replace('Basic', 'Bearer'),
    `${basic('a:b')} x`,
    `x ${basic('a:b')}`,
    'Basic a:b',
  ]) {
    assert.equal(readBasicCredential(header), undefined);
  }
  fc.assert(fc.property(fc.string(), (text) => void readBasicCredential(text)));
});
