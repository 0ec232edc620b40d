/** The processes of `holdfast-agent run`: the supervisor with a program, and the agent. @module */
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom } from '../clock.ts';
import type { AgentSettings, CommandLine } from './agent-settings.ts';
import { BootCare } from './boot-care.ts';
import { DirectorySlots } from './directory-slots.ts';
import { SUPERVISOR_SPARE_MS } from './limits.ts';
import { enrollmentTargetOf, openAgent } from './open-agent.ts';
import { startProcess } from './start-process.ts';
import { Supervisor } from './supervisor.ts';

/** The process that this runs in. */
export interface AgentProcess {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  /** A line of the log. */
  readonly say: (line: string) => void;
  readonly onStopSignal: (listener: () => void) => void;
  /** Says a word to the supervisor; undefined without one. */
  readonly send: ((word: string) => void) | undefined;
}

/** Runs the agent until the process is told to stop. */
export async function runAgent(
  settings: AgentSettings,
  { isSupervised, here }: { readonly isSupervised: boolean; readonly here: AgentProcess },
): Promise<void> {
  const { send, say, onStopSignal } = here;
  const opened = openAgent(settings, {
    say,
    restartProgram: isSupervised ? () => send?.('restart') : undefined,
    onWaiting: () => send?.('waiting'),
  });
  const { tpm } = settings;
  const target = enrollmentTargetOf(settings);
  const care = tpm && new BootCare({ tpm, target, clock: systemClock, say });
  void care?.start();
  // A step may wait for the server for a long time, and can be ended anywhere.
  const stopped = new Promise<void>((resolve) => onStopSignal(resolve));
  await Promise.race([opened.agent.run(), stopped]);
  care?.stop();
  await opened.close();
}

/** Runs a program, and the agent beside it, until the process is told to stop. */
export async function runSupervisor(
  settings: AgentSettings,
  {
    config,
    command,
    here,
  }: {
    readonly config: string;
    readonly command: CommandLine;
    readonly here: AgentProcess;
  },
): Promise<void> {
  if (settings.slots.kind !== 'directory') throw new TypeError('no slots of a supervisor');
  const { root } = settings.slots;
  const slots = new DirectorySlots(root);
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const agent: CommandLine = [process.execPath, ...process.execArgv, main, 'run', '--supervised'];
  const supervisor = new Supervisor({
    slots,
    clock: systemClock,
    random: systemRandom,
    confirmWithinMs: settings.trial.withinMs + SUPERVISOR_SPARE_MS,
    startProgram: (slot) =>
      startProcess({
        command,
        env: { HOLDFAST_SLOT: slot, HOLDFAST_IMAGE: slots.imagePath(slot) },
      }),
    startAgent: (hear) => startProcess({ command: [...agent, '--config', config], hear }),
    say: here.say,
  });
  here.onStopSignal(() => supervisor.stop());
  await supervisor.run();
}
