import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Fault } from '../kernel/index.ts';
import { lockFolder, requireUnlocked } from './folder-lock.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === code;
}

test('a folder is taken by one at a time [E_PERSISTENCE_IN_USE]', (t) => {
  const folder = temporaryFolder(t);
  const lock = lockFolder(folder);
  assert.throws(() => lockFolder(folder), hasCode('E_PERSISTENCE_IN_USE'));
  assert.throws(() => requireUnlocked(folder), hasCode('E_PERSISTENCE_IN_USE'));
  lock.release();
  requireUnlocked(folder);
  lockFolder(folder).release();
});

test('the lock of a process that was killed is gone', async (t) => {
  const folder = temporaryFolder(t);
  const module = new URL('folder-lock.ts', import.meta.url).href;
  const script = `import(${JSON.stringify(module)}).then(({ lockFolder }) => {
    globalThis.lock = lockFolder(${JSON.stringify(folder)});
    console.log('locked');
    setInterval(() => {}, 1000);
  });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  assert.throws(() => requireUnlocked(folder), hasCode('E_PERSISTENCE_IN_USE'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  requireUnlocked(folder);
  lockFolder(folder).release();
});

test('asking leaves the folder as it was', (t) => {
  const folder = temporaryFolder(t);
  requireUnlocked(folder);
  assert.deepEqual(readdirSync(folder), []);
});

test('a lock that is no such file is refused [E_PERSISTENCE_OPEN]', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'lock'), 'not a database, but something long enough to be looked at');
  assert.ok(existsSync(join(folder, 'lock')));
  assert.throws(() => requireUnlocked(folder), hasCode('E_PERSISTENCE_OPEN'));
  assert.throws(() => lockFolder(join(folder, 'nowhere')), hasCode('E_PERSISTENCE_OPEN'));
});
