/** The configuration file of `holdfast-agent`. @module */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { TpmSettings } from '../boot-proof/index.ts';
import { DeviceError } from '../device-error.ts';
import type { CounterRule } from './counter-rule.ts';
import { FieldError, Fields } from './fields.ts';
import {
  CHECKS_MAX,
  CHECK_WITHIN_S,
  SETTINGS_BYTES_MAX,
  TRIAL_OFFLINE_S,
  TRIAL_STEADY_S,
  TRIAL_TRIES,
  TRIAL_WITHIN_S,
} from './limits.ts';
import { type LocalCheck, commandCheck } from './local-check.ts';
import type { SlotName } from './slots.ts';
import type { SystemdBootPlaces } from './systemd-boot-slots.ts';
import type { TrialBounds } from './trial.ts';
import type { UBootPlaces } from './u-boot-slots.ts';
import { type ConfirmedImage, readConfirmed } from './update-record.ts';

/** A program and its arguments. */
export type CommandLine = readonly [string, ...string[]];

/** Which slots a device has. */
export type SlotsSettings =
  | { readonly kind: 'directory'; readonly root: string }
  | ({ readonly kind: 'u-boot'; readonly restart: CommandLine } & UBootPlaces)
  | ({ readonly kind: 'systemd-boot'; readonly restart: CommandLine } & SystemdBootPlaces);

/** What the file says. Paths are absolute. */
export interface AgentSettings {
  /** Folder of the device bundle. */
  readonly bundle: string;
  /** Folder of the agent's own files. */
  readonly state: string;
  readonly hardware: string;
  /** Files with the roots that the device was made with. */
  readonly roots: { readonly image: string; readonly director: string };
  /** `mqtt`: the agent keeps the bundle. `https`: another program of the SDK does. */
  readonly connection: 'mqtt' | 'https';
  readonly slots: SlotsSettings;
  readonly tries: number;
  readonly trial: TrialBounds;
  readonly checks: readonly LocalCheck[];
  readonly sameCounter: CounterRule;
  /** Set where the device proves its boot by a TPM. */
  readonly tpm: Partial<TpmSettings> | undefined;
  /** The image of the factory. */
  readonly image: ConfirmedImage;
}

/**
 * Reads a configuration file; relative paths in it begin at its folder.
 * @throws DeviceError `E_DEVICE_AGENT_SETTINGS`
 */
export function loadAgentSettings(path: string): AgentSettings {
  try {
    if (statSync(path).size > SETTINGS_BYTES_MAX) throw new FieldError('it is too large');
    return readAgentSettings(readFileSync(path, 'utf8'), dirname(resolve(path)));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : 'it cannot be read';
    throw new DeviceError('E_DEVICE_AGENT_SETTINGS', {
      message: `${path}: ${what}.`,
      fix: 'Compare it with examples/agent/agent.json and "The device" in the firmware guide.',
      cause,
    });
  }
}

/** @throws FieldError, SyntaxError */
export function readAgentSettings(text: string, folder: string): AgentSettings {
  const fields = new Fields(JSON.parse(text));
  fields.integer('version', { min: 1, max: 1 });
  const at = (path: string): string => resolve(folder, path);
  const settings = {
    bundle: at(fields.text('bundle')),
    state: at(fields.text('state')),
    hardware: fields.text('hardware', HARDWARE),
    roots: readRoots(fields.object('roots'), at),
    connection: fields.oneOf('connection', ['mqtt', 'https'], 'mqtt'),
    slots: readSlots(fields.object('slots'), at),
    ...readTrial(fields.has('trial') ? fields.object('trial') : new Fields({}, 'trial')),
    sameCounter: fields.oneOf('sameCounter', ['accept', 'refuse'], 'accept'),
    tpm: fields.has('tpm') ? readTpm(fields.object('tpm'), at) : undefined,
    image: fields.has('image') ? readConfirmed(fields.object('image')) : { counter: 0 },
  };
  fields.end();
  return settings;
}

type At = (path: string) => string;

function readRoots(fields: Fields, at: At): AgentSettings['roots'] {
  const roots = { image: at(fields.text('image')), director: at(fields.text('director')) };
  fields.end();
  return roots;
}

function readSlots(fields: Fields, at: At): SlotsSettings {
  const kind = fields.oneOf('kind', ['directory', 'u-boot', 'systemd-boot']);
  const slots = kind === 'directory' ? readDirectory(fields, at) : readLoader(kind, { fields, at });
  fields.end();
  return slots;
}

function readDirectory(fields: Fields, at: At): SlotsSettings {
  return { kind: 'directory', root: at(fields.text('root')) };
}

function readLoader(
  kind: 'u-boot' | 'systemd-boot',
  { fields, at }: { readonly fields: Fields; readonly at: At },
): SlotsSettings {
  const commandLine = fields.optionalText('commandLine');
  const common = {
    images: bothOf(fields.object('images'), (images, slot) => at(images.text(slot))),
    restart: fields.has('restart') ? readCommand(fields, 'restart') : REBOOT,
    commandLine: commandLine === undefined ? undefined : at(commandLine),
  };
  if (kind === 'u-boot') {
    const environment = at(fields.text('environment'));
    const [redundant, copy] = ['redundant', 'copy'].map((name) => {
      const path = fields.optionalText(name);
      return path === undefined ? undefined : at(path);
    });
    if (redundant !== undefined && copy !== undefined) {
      throw new FieldError('"slots.redundant" and "slots.copy" exclude each other');
    }
    return { kind, ...common, environment, redundant, copy };
  }
  const entries = at(fields.text('entries'));
  const lines = bothOf(fields.object('lines'), (both, slot) => both.texts(slot, 32));
  return { kind, ...common, entries, lines };
}

function readTpm(fields: Fields, at: At): Partial<TpmSettings> {
  const [tcti, eventLog] = [fields.optionalText('tcti', TCTI), fields.optionalText('eventLog')];
  const pcrs = fields.list('pcrs', {
    max: 24,
    read: (pcr, path) => {
      if (typeof pcr === 'number' && Number.isInteger(pcr) && pcr >= 0 && pcr < 24) return pcr;
      throw new FieldError(`${path} is no PCR: an integer from 0 to 23`);
    },
  });
  fields.end();
  return {
    ...(tcti !== undefined && { tcti }),
    ...(eventLog !== undefined && { eventLog: at(eventLog) }),
    ...(pcrs.length > 0 && { pcrs: [...new Set(pcrs)].sort((a, b) => a - b) }),
  };
}

function bothOf<T>(fields: Fields, read: (fields: Fields, slot: SlotName) => T) {
  const both = { a: read(fields, 'a'), b: read(fields, 'b') };
  fields.end();
  return both;
}

function readTrial(fields: Fields): Pick<AgentSettings, 'tries' | 'trial' | 'checks'> {
  const tries = fields.integer('tries', TRIAL_TRIES);
  const trial = {
    withinMs: fields.integer('withinS', TRIAL_WITHIN_S) * 1000,
    steadyMs: fields.integer('steadyS', TRIAL_STEADY_S) * 1000,
    offline: fields.oneOf('offline', ['wait', 'revert'], 'wait'),
    offlineMs: fields.integer('offlineS', TRIAL_OFFLINE_S) * 1000,
  };
  const checks = fields.list('checks', {
    max: CHECKS_MAX,
    read: (part, path) => readCheck(new Fields(part, path)),
  });
  fields.end();
  if (trial.steadyMs > trial.withinMs) {
    throw new FieldError('"trial.steadyS" is longer than "trial.withinS"');
  }
  return { tries, trial, checks };
}

function readCheck(fields: Fields): LocalCheck {
  const check = {
    name: fields.text('name', CHECK_NAME),
    command: readCommand(fields, 'command'),
    withinMs: fields.integer('withinS', CHECK_WITHIN_S) * 1000,
  };
  fields.end();
  return commandCheck(check);
}

function readCommand(fields: Fields, name: string): CommandLine {
  const [program, ...args] = fields.texts(name, 64);
  if (program === undefined)
    throw new FieldError(`"${name}" is no list of a program and arguments`);
  return [program, ...args];
}

const HARDWARE = /^[a-z0-9][a-z0-9-]{0,31}$/u;
const TCTI = /^[\w:=/.,-]{1,256}$/u;
const CHECK_NAME = /^[\w .:-]{1,64}$/u;
const REBOOT: CommandLine = ['systemctl', 'reboot'];
