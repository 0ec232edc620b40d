import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { platform } from 'node:process';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

/** Of a line of /proc: the 19th field, and the 17th behind the name. proc_pid_stat(5) */
function nicenessIn(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
}

test(
  'a thread goes behind the messages, and no other thread with it',
  { skip: platform !== 'linux' && 'threads have a priority of their own on Linux' },
  async () => {
    const module = new URL('background.ts', import.meta.url).href;
    const before = nicenessIn(readFileSync('/proc/thread-self/stat', 'latin1'));
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const { readFileSync } = require('node:fs');
       import(${JSON.stringify(module)}).then(({ goBehindMessages }) => {
         goBehindMessages();
         parentPort.postMessage(readFileSync('/proc/thread-self/stat', 'latin1'));
       });`,
      { eval: true },
    );
    const [stat] = (await once(worker, 'message')) as [string];
    assert.equal(nicenessIn(stat), Math.max(before, 10));
    assert.equal(nicenessIn(readFileSync('/proc/thread-self/stat', 'latin1')), before);
    await worker.terminate();
  },
);
