/** The process of the `holdfast` command: puts the real world around {@link run}. @module */
import { homedir, hostname } from 'node:os';
import { isatty } from 'node:tty';
import { createClient } from '@holdfast/client';
import { run } from './run.ts';
import { inputOf, outputOf } from './terminal.ts';
import type { World } from './world.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const world: World = {
  stdout: outputOf(process.stdout, isatty(1)),
  stderr: outputOf(process.stderr, isatty(2)),
  input: inputOf(process.stdin, isatty(0), process.stderr),
  env: process.env,
  home: homedir(),
  hostName: hostname(),
  timeZone: Temporal.Now.timeZoneId(),
  nowMs: () => Date.now(),
  onStopSignal: (listener) => {
    for (const signal of STOP_SIGNALS) process.on(signal, listener);
  },
  exit: (code) => process.exit(code),
  connect: createClient,
  server: () => import('@holdfast/server'),
  device: () => import('@holdfast/device'),
};

// The reader of a pipe has seen enough (holdfast readings … | head): that is no error.
// A server, or a claim that is being redeemed, must not end because nobody reads along.
const [noun, verb] = process.argv.slice(2);
const goesOnUnread = noun === 'up' || (noun === 'device' && verb === 'enroll');
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (goesOnUnread) return;
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// Started by the launcher on an older Node, which holds a channel: when it is killed, stop too.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

process.exitCode = await run(process.argv.slice(2), world);
