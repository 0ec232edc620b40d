/** The process of the `holdfast` command: puts the real world around {@link run}. @module */
import { homedir, hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { readColor } from './color-choice.ts';
import { run } from './run.ts';
import { inputOf, outputOf } from './terminal.ts';
import type { World } from './world.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const { args, isPlain } = readColor(process.argv.slice(2), process.env);

const world: World = {
  stdout: outputOf(process.stdout, { isTty: isatty(1), isPlain }),
  stderr: outputOf(process.stderr, { isTty: isatty(2), isPlain }),
  input: inputOf(process.stdin, isatty(0), process.stderr),
  env: process.env,
  home: homedir(),
  hostName: hostname(),
  timeZone: Temporal.Now.timeZoneId(),
  nowMs: () => Date.now(),
  pause: (ms, signal) => pause(ms, undefined, { signal }),
  onStopSignal: (listener) => {
    for (const signal of STOP_SIGNALS) process.on(signal, listener);
  },
  exit: (code) => process.exit(code),
  connect: async (options) => (await import('@holdfast/client')).createClient(options),
  server: () => import('@holdfast/server'),
  device: () => import('@holdfast/device'),
};

// The reader of a pipe has seen enough (holdfast readings … | head): that is no error.
// A server, or a claim that is being redeemed, must not end because nobody reads along.
const [noun, verb] = args;
const goesOnUnread = noun === 'up' || (noun === 'device' && verb === 'enroll');
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (goesOnUnread) return;
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// Started by the launcher on an older Node, which holds a channel: when it is killed, stop too.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

process.exitCode = await run(args, world);
