import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf } from './command-fields.ts';

const field = (name: string, value: string, key = 0) => ({ key, name, value });

test('values are numbers, truth values and lists where they look so, and else text', () => {
  const fields = [
    field('speed', '2.5'),
    field('now', 'true'),
    field('list', '[1,2]'),
    field('mode', 'auto'),
    field('zip', '"0042"'),
    field('', ''),
  ];
  assert.deepEqual(commandOf('start', fields), {
    name: 'start',
    body: { speed: 2.5, now: true, list: [1, 2], mode: 'auto', zip: '0042' },
  });
  assert.deepEqual(commandOf('stop', []), { name: 'stop', body: {} });
});

test('what cannot be sent is said', () => {
  for (const [name, fields, wrong] of [
    ['', [], /Type the name/u],
    ['a/b', [], /Type the name/u],
    ['start', [field('', '2')], /needs a name/u],
    ['start', [field('a', '1'), field('a', '2')], /same name/u],
    ['start', [field('sig', '1')], /“sig”/u],
  ] as const) {
    assert.match(JSON.stringify(commandOf(name, fields)), wrong);
  }
});
