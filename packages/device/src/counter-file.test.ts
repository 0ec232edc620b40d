import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import fc from 'fast-check';
import { testFolder } from '../test-support/test-bundle.ts';
import { CounterFile } from './counter-file.ts';
import { COUNTER_BLOCK } from './limits.ts';

test('counting begins at the clock, or beyond what the file reserved, whichever is higher', (t) => {
  const path = join(testFolder(t), 'counter');
  const counters = new CounterFile(path, 5_000);
  assert.deepEqual([counters.peek(), counters.take(), counters.take()], [5_000, 5_000, 5_001]);
  assert.equal(readFileSync(path, 'utf8'), `${5_000 + COUNTER_BLOCK}\n`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(new CounterFile(path, 0).take(), 5_000 + COUNTER_BLOCK);
  assert.equal(new CounterFile(path, 50_000).take(), 50_000);
});

test('a block is reserved before its first counter is given out, and not earlier', (t) => {
  const path = join(testFolder(t), 'counter');
  const counters = new CounterFile(path, 0);
  for (let i = 0; i < COUNTER_BLOCK; i += 1) counters.take();
  assert.equal(readFileSync(path, 'utf8'), `${COUNTER_BLOCK}\n`);
  counters.take();
  assert.equal(readFileSync(path, 'utf8'), `${2 * COUNTER_BLOCK}\n`);
});

test('no counter is given out twice, whenever the process dies and whoever else counts', (t) => {
  const path = join(testFolder(t), 'counter');
  // Each number: how many counters are taken, by which of two processes, and whether it then dies.
  const step = fc.tuple(fc.nat(1_500), fc.nat(1), fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      rmSync(path, { force: true });
      const seen = new Set<number>();
      const processes = [new CounterFile(path, 7), new CounterFile(path, 7)];
      for (const [count, at, dies] of steps) {
        for (let i = 0; i < count; i += 1) {
          const counter = processes[at]?.take() ?? -1;
          assert.ok(!seen.has(counter), `${counter} twice`);
          seen.add(counter);
        }
        // What a process that was killed while writing leaves behind.
        if (dies) writeFileSync(`${path}.partial`, '99');
        if (dies) processes[at] = new CounterFile(path, 7);
      }
    }),
    { numRuns: 30 },
  );
});

test('no counter comes again after SIGKILL', async (t) => {
  const path = join(testFolder(t), 'counter');
  const script = `
    import { CounterFile } from ${JSON.stringify(new URL('counter-file.ts', import.meta.url).href)};
    const counters = new CounterFile(${JSON.stringify(path)}, 1);
    const count = () => {
      let text = '';
      for (let i = 0; i < 100; i += 1) text += counters.take() + '\\n';
      process.stdout.write(text, count);
    };
    count();`;
  let highest = 0;
  for (let round = 0; round < 3; round += 1) {
    const options = ['--no-warnings', '--input-type=module', '--eval', script];
    const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    const before = highest;
    for await (const line of createInterface({ input: child.stdout })) {
      const counter = Number(line);
      // The last line may be cut short by the kill; it is then a smaller number.
      if (child.killed && counter < highest) break;
      assert.ok(counter > highest, `${counter} after ${highest}`);
      highest = counter;
      if (highest - before > 2_500) child.kill('SIGKILL');
    }
    await exit;
  }
});

test('a damaged file is reported, never taken for a number', (t) => {
  const path = join(testFolder(t), 'counter');
  for (const text of [
    '',
    '\n',
    '12',
    'x\n',
    '-1\n',
    '1e3\n',
    '99999999999999999\n',
    '9007199254740991\n',
  ]) {
    writeFileSync(path, text);
    assert.throws(() => new CounterFile(path, 0), { code: 'E_DEVICE_COUNTER' }, text);
  }
  writeFileSync(path, `${Number.MAX_SAFE_INTEGER - COUNTER_BLOCK}\n`);
  assert.doesNotThrow(() => new CounterFile(path, 0));
});

test('without a durable reservation there is no counter, and afterward no gap in safety', (t) => {
  const folder = join(testFolder(t), 'gone');
  const path = join(folder, 'counter');
  const counters = new CounterFile(path, 100);
  assert.throws(() => counters.take(), { code: 'E_DEVICE_COUNTER' });
  mkdirSync(folder);
  chmodSync(folder, 0o700);
  assert.equal(counters.take(), 100);
});
