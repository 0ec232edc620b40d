/** The command `holdfast-agent`. @module */
import { parseArgs } from 'node:util';
import { proveBoot } from '../boot-proof/index.ts';
import { systemClock } from '../clock.ts';
import { DeviceError } from '../device-error.ts';
import { callPinned } from '../https-call.ts';
import { PinnedFetch } from '../update/pinned-fetch.ts';
import { AGENT_HELP } from './agent-help.ts';
import { makeRequest } from './agent-requests.ts';
import { type AgentSettings, loadAgentSettings } from './agent-settings.ts';
import { formatStatus, isAbandoned, isAgentUp, readStatus } from './agent-status.ts';
import { enrollmentTargetOf, openAgent } from './open-agent.ts';
import { type AgentProcess, runAgent, runSupervisor } from './run-agent.ts';
import { HttpsUpdateServer } from './update-server.ts';

/** What was asked for. */
interface Asked {
  readonly verb: string;
  readonly config: string;
  readonly isJson: boolean;
  readonly isAbandoned: boolean;
  readonly isSupervised: boolean;
  /** What followed `--`. */
  readonly program: readonly string[];
}

/**
 * Runs the command.
 * @returns the exit code: 0, 1 for a failure, 2 for a mistake in the command line
 */
export async function runAgentCommand(
  args: readonly string[],
  here: AgentProcess,
): Promise<number> {
  try {
    const asked = readArgs(args);
    if (asked === 'help') {
      here.print(AGENT_HELP);
      return 0;
    }
    return await obey(asked, loadAgentSettings(asked.config), here);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    here.complain(`error: ${error.message}\n  code  ${error.code}\n  fix   ${error.fix}\n`);
    return error.code === 'E_DEVICE_AGENT_USAGE' ? 2 : 1;
  }
}

async function obey(asked: Asked, settings: AgentSettings, here: AgentProcess): Promise<number> {
  switch (asked.verb) {
    case 'run':
      return await run(asked, settings, here);
    case 'status':
      return status(asked, settings, here);
    case 'check':
      return await check(settings, here);
    case 'install':
      return await install(settings, here);
    case 'confirm':
      return confirm(settings, here);
    case 'prove-boot':
      return await prove(settings, here);
    default:
      throw usage(`there is no "${asked.verb}"`);
  }
}

async function run(asked: Asked, settings: AgentSettings, here: AgentProcess): Promise<number> {
  const [program, ...args] = asked.program;
  const isDirectory = settings.slots.kind === 'directory';
  if (asked.isSupervised || (!isDirectory && program === undefined)) {
    await runAgent(settings, { isSupervised: asked.isSupervised, here });
    return 0;
  }
  if (!isDirectory) throw usage('only slots of the kind "directory" have a program to run');
  if (program === undefined) throw usage('the program is missing: run -- <command>');
  await runSupervisor(settings, { config: asked.config, command: [program, ...args], here });
  return 0;
}

function status(asked: Asked, settings: AgentSettings, here: AgentProcess): number {
  const found = readStatus(settings);
  if (asked.isAbandoned) return isAbandoned(found) ? 0 : 1;
  here.print(asked.isJson ? `${JSON.stringify(found, undefined, 2)}\n` : formatStatus(found));
  return 0;
}

async function check(settings: AgentSettings, here: AgentProcess): Promise<number> {
  const target = enrollmentTargetOf(settings);
  const fetch = new PinnedFetch(target);
  try {
    const assigned = await new HttpsUpdateServer({ fetch, clock: systemClock }, target).poll();
    const release = assigned?.release;
    here.print(`The server can be reached. It assigns ${release ?? 'nothing'}.\n`);
    if (release === undefined) return 0;
  } finally {
    fetch.close();
  }
  if (isAgentUp(settings.state)) {
    here.print('The agent that runs verifies it: holdfast-agent status.\n');
    return 0;
  }
  const opened = openAgent({ ...settings, connection: 'https' }, { say: here.say });
  try {
    const verified = await opened.check();
    here.print(`Both repositories name ${verified ?? 'nothing'} for this device.\n`);
  } finally {
    await opened.close();
  }
  return 0;
}

async function install(settings: AgentSettings, here: AgentProcess): Promise<number> {
  if (isAgentUp(settings.state)) {
    makeRequest(settings.state, 'wake');
    here.print('The agent asks the server now. See holdfast-agent status.\n');
    return 0;
  }
  const opened = openAgent({ ...settings, connection: 'https' }, { say: here.say });
  try {
    await opened.agent.once();
    const { state, image, why } = opened.journal.record.update;
    here.print(
      `${image?.release ?? 'No update'}: ${state}${why === undefined ? '' : `: ${why}`}\n`,
    );
    return state === 'failed' || state === 'reverted' ? 1 : 0;
  } finally {
    await opened.close();
  }
}

function confirm(settings: AgentSettings, here: AgentProcess): number {
  const { boot, running, isAgentUp: isUp } = readStatus(settings);
  if (boot.trial !== running) {
    here.print('No image is on trial: there is nothing to confirm.\n');
    return 0;
  }
  if (!isUp) {
    throw new DeviceError('E_DEVICE_SLOTS', {
      message: 'An image is on trial, and no agent runs that could confirm it.',
      fix: 'Start it: holdfast-agent run.',
    });
  }
  makeRequest(settings.state, 'confirm');
  here.print('The agent confirms the image as soon as its local checks pass.\n');
  return 0;
}

async function prove({ tpm, ...settings }: AgentSettings, here: AgentProcess): Promise<number> {
  const target = enrollmentTargetOf(settings);
  const outcome = await proveBoot((asked) => callPinned(target(), asked), tpm);
  if (outcome === 'proven') {
    here.print('The server has taken the proof of how this device booted.\n');
    return 0;
  }
  here.print(
    'The TPM is bound to this device. An operator has to vouch for it:\n' +
      '  holdfast device tpm accept <device> <EK-SHA256>\n',
  );
  return 1;
}

function readArgs(args: readonly string[]): Asked | 'help' {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  let parsed;
  try {
    parsed = parseArgs({ args: [...own], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    throw usage(cause instanceof Error ? cause.message : 'an option is unknown');
  }
  const { values, positionals } = parsed;
  const [verb, ...more] = positionals;
  if (values.help === true) return 'help';
  if (verb === undefined) throw usage('a command is missing');
  if (more.length > 0) throw usage(`"${more.join(' ')}" is too much`);
  return {
    verb,
    config: values.config ?? DEFAULT_CONFIG,
    isJson: values.json === true,
    isAbandoned: values.abandoned === true,
    isSupervised: values.supervised === true,
    program: end < 0 ? [] : args.slice(end + 1),
  };
}

function usage(what: string): DeviceError {
  return new DeviceError('E_DEVICE_AGENT_USAGE', {
    message: `This cannot be done: ${what}.`,
    fix: 'See holdfast-agent --help.',
  });
}

const DEFAULT_CONFIG = '/etc/holdfast/agent.json';
const OPTIONS = {
  config: { type: 'string' },
  json: { type: 'boolean' },
  abandoned: { type: 'boolean' },
  /** Only the supervisor says it. */
  supervised: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
