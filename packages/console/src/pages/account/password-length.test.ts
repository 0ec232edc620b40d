import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD_LENGTH } from '@holdfast/protocol/api';
import { PASSWORD_CHARACTERS } from './password-length.ts';

test('the page asks for passwords of the length that the API takes', () => {
  assert.deepEqual(PASSWORD_CHARACTERS, PASSWORD_LENGTH);
});
