import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const CHILD = join(import.meta.dirname, 'crash-child.testing.ts');
/** How many lines about durable entries each process may write before it is killed. */
const LIVES = [1, 40, 3, 20];

interface Line {
  readonly type: 'recovered' | 'durable';
  readonly index?: number;
  readonly size?: number;
  readonly routed?: number;
  readonly saved?: number;
  readonly isComplete?: boolean;
}

/** What is saved and the log behind it must make up the whole, whenever the process is killed. */
test('a process that is killed any number of times misses nothing and doubles nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  const children = new Set<ChildProcess>();
  t.after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  let durableIndex = -1;
  let [routedMax, savedMax] = [0, 0];
  for (const lines of [...LIVES, 1]) {
    const child = spawn(process.execPath, [CHILD, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    let left = lines;
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line;
      if (line.type === 'recovered') {
        assert.ok(line.isComplete, text);
        assert.ok((line.size ?? 0) > durableIndex, `${text}, but ${durableIndex} was durable`);
        routedMax = Math.max(routedMax, line.routed ?? 0);
        savedMax = Math.max(savedMax, line.saved ?? 0);
      } else {
        durableIndex = Math.max(durableIndex, line.index ?? 0);
        left -= 1;
        if (left === 0) child.kill('SIGKILL');
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    children.delete(child);
  }
  assert.ok(durableIndex > 1_000, `${durableIndex}`);
  assert.ok(routedMax > 0 && savedMax > 0, 'something must have come out of the state');
});
