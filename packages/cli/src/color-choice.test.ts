import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readColor } from './color-choice.ts';

test('color is left out by --no-color and NO_COLOR, and the option is taken out', () => {
  const args = ['device', 'list'];
  assert.deepEqual(readColor(args, {}), { args, isPlain: false });
  assert.deepEqual(readColor(['--no-color', ...args], {}), { args, isPlain: true });
  assert.deepEqual(readColor([...args, '--no-color'], {}), { args, isPlain: true });
  assert.deepEqual(readColor(args, { NO_COLOR: '1' }), { args, isPlain: true });
  assert.deepEqual(readColor(args, { NO_COLOR: '' }), { args, isPlain: false });
});

test('what stands behind -- is a name, not the option', () => {
  const args = ['device', 'show', '--', '--no-color'];
  assert.deepEqual(readColor(args, {}), { args, isPlain: false });
});
