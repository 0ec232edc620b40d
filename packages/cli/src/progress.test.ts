import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressOn } from './progress.ts';

function shown(
  isTty: boolean,
  columns = 80,
): { lines: string[]; output: Parameters<typeof progressOn>[0] } {
  const lines: string[] = [];
  const write = (text: string) => void lines.push(text);
  return { lines, output: { write, isTty, hasColor: false, columns, rows: 24 } };
}

test('a bar is drawn over itself on a terminal', () => {
  const { lines, output } = shown(true);
  const progress = progressOn(output);
  for (const [done, total] of [
    [0, 200],
    [100, 200],
    [199, 200],
    [200, 200],
    [300, 200],
    [5, 0],
  ] as const) {
    progress.bar(done, total, 'files');
  }
  progress.clear();
  assert.deepEqual(lines, [
    `\r\u001B[K${'·'.repeat(24)}   0 %  files`,
    `\r\u001B[K${'█'.repeat(12)}${'·'.repeat(12)}  50 %  files`,
    `\r\u001B[K${'█'.repeat(23)}·  99 %  files`,
    `\r\u001B[K${'█'.repeat(24)} 100 %  files`,
    `\r\u001B[K${'█'.repeat(24)} 100 %  files`,
    `\r\u001B[K${'·'.repeat(24)}   0 %  files`,
    '\r\u001B[K',
  ]);
});

test('it is no wider than the terminal', () => {
  const { lines, output } = shown(true, 40);
  progressOn(output).bar(1, 2, 'a long text that does not fit');
  assert.equal(lines[0]?.length, 4 + 39);
});

test('where there is no terminal, there is no bar', () => {
  const { lines, output } = shown(false);
  const progress = progressOn(output);
  progress.show('x');
  progress.bar(1, 2, 'x');
  progress.clear();
  assert.deepEqual(lines, []);
});
