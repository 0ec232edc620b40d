import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped, linkOf, readScanned, readTyped } from './read-code.ts';

const TEXT = `holdfast-pair/1/server.example:8443/pump-1/${'A'.repeat(43)}/ABCD-EFGH-2345-WXYZ`;

test('the text of a code is found by itself, among words, and in a link', () => {
  const expected = {
    host: 'server.example',
    port: 8443,
    of: 'pump-1',
    anchorPin: 'A'.repeat(43),
    code: 'ABCD-EFGH-2345-WXYZ',
  };
  const link = linkOf(TEXT, 'https://server.example:8443');
  assert.ok(link.startsWith('https://server.example:8443/app#/pair/'), link);
  for (const text of [TEXT, ` ${TEXT}\n`, `Your code: ${TEXT} bye`, link, `"${TEXT}"`]) {
    assert.deepEqual(readScanned(text), expected, text);
  }
});

test('what is no code, or half of one, is none', () => {
  for (const text of [
    '',
    'https://example.com',
    TEXT.slice(0, -1),
    'holdfast-pair/1/',
    '%E0%A4%A',
  ]) {
    assert.equal(readScanned(text), undefined, text);
  }
});

test('a typed code counts with spaces, hyphens and small letters', () => {
  for (const code of ['ABCD-EFGH-2345-WXYZ', 'abcd efgh 2345 wxyz', 'abcdefgh2345wxyz']) {
    assert.deepEqual(readTyped(' pump-1 ', code), { of: 'pump-1', code: 'ABCD-EFGH-2345-WXYZ' });
  }
  const invited = `owner:${'a'.repeat(20)}`;
  assert.deepEqual(readTyped(invited, 'ABCDEFGH2345WXYZ'), {
    of: invited,
    code: 'ABCD-EFGH-2345-WXYZ',
  });
});

test('what is wrong with a typed code is said', () => {
  assert.match(JSON.stringify(readTyped('', 'ABCDEFGH2345WXYZ')), /name of the device/u);
  assert.match(JSON.stringify(readTyped('pump 1', 'ABCDEFGH2345WXYZ')), /letters, digits/u);
  assert.match(JSON.stringify(readTyped('pump-1', 'ABCDEFGH2345WXY')), /these are 15/u);
  assert.match(JSON.stringify(readTyped('pump-1', 'ABCDEFGH2345WXYZ9')), /these are 17/u);
});

test('a code is grouped while it is typed', () => {
  assert.equal(grouped('abc'), 'ABC');
  assert.equal(grouped('abcde'), 'ABCD-E');
  assert.equal(grouped('abcd-efgh-2345-wxyz-and-more'), 'ABCD-EFGH-2345-WXYZ');
});
