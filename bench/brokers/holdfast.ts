/** Holdfast, in three ways. @module */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyData } from '@holdfast/server';
import { childrenOf } from '../measure/process-tree.ts';
import { profileFlags } from '../measure/profile.ts';
import type { RunningBroker, StartContext, StopReport, Target } from './broker.ts';
import { findCommand, printedPort, startProcess } from './run-process.ts';

/** The hardening with which the command line starts it. */
const FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];

const ALL_ON = 'authorization, HMAC, replay window, sealed durable journal, Merkle leaf';

const form1: Target = {
  name: 'holdfast',
  what: `${ALL_ON}; signed JSON`,
  form: 1,
  subscriberLevel: 5,
  missing: () => undefined,
  start: (context) => start(context, { isVerifying: true }),
};

/** The ways in which Holdfast is measured. */
export const holdfast: readonly Target[] = [
  form1,
  {
    ...form1,
    name: 'holdfast-form2',
    what: `${ALL_ON}; signed by user properties`,
    form: 2,
  },
  {
    ...form1,
    name: 'holdfast-unverified',
    what: 'all but the HMAC; signatures by user properties',
    form: 2,
    start: (context) => start(context, { isVerifying: false }),
  },
];

async function start(
  context: StartContext,
  { isVerifying }: { readonly isVerifying: boolean },
): Promise<RunningBroker> {
  const { folder, dataTemplate, profiles, countsFsyncs = false } = context;
  const dataDir = join(folder, 'data');
  cpSync(dataTemplate, dataDir, { recursive: true });
  const main = join(import.meta.dirname, 'holdfast-main.ts');
  const args = [
    ...FLAGS,
    ...profileFlags(profiles),
    main,
    JSON.stringify({ dataDir, isVerifying }),
  ];
  const counted = join(folder, 'fsyncs.txt');
  const [command, before] = countsFsyncs ? [straceCommand(), straceArgs(counted)] : [undefined, []];
  const broker = startProcess(
    command ?? process.execPath,
    command === undefined ? args : [...before, process.execPath, ...args],
    { folder },
  );
  const port = await printedPort(broker);
  const stop = async (): Promise<StopReport> => {
    // strace blocks the signals that would end it: it ends with what it watches.
    if (command !== undefined)
      for (const pid of childrenOf(broker.pid)) process.kill(pid, 'SIGTERM');
    await broker.stop();
    const report = await verifyData({ dataDir });
    return {
      storedMessages: report.messages,
      problem: report.ok ? undefined : 'THE LOG DOES NOT VERIFY',
      ...(command !== undefined && { fsyncs: countedFsyncs(counted) }),
    };
  };
  return { pid: broker.pid, port, stop };
}

function straceCommand(): string | undefined {
  return findCommand('strace');
}

/** With a filter in the kernel only the calls that are counted cost anything. */
function straceArgs(out: string): string[] {
  return ['-f', '-c', '--seccomp-bpf', '-e', 'trace=fsync,fdatasync', '-o', out];
}

function countedFsyncs(path: string): number {
  const rows = readFileSync(path, 'utf8').matchAll(/^.*?\s(\d+)\s+(?:\d+\s+)?f(?:data)?sync$/gm);
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
