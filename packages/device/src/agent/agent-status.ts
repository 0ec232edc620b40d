/** `holdfast-agent status`: what runs, and how the last update went. @module */
import { join } from 'node:path';
import { DeviceError } from '../device-error.ts';
import { lockFolder } from '../store/folder-lock.ts';
import { agentDisk } from './agent-disk.ts';
import type { AgentSettings } from './agent-settings.ts';
import { openSlots } from './open-slots.ts';
import type { BootState, SlotName } from './slots.ts';
import { peekRecord } from './update-journal.ts';
import { type AgentRecord, newRecord } from './update-record.ts';

/** All that is known without asking the server. */
export interface AgentStatus {
  readonly record: AgentRecord;
  readonly running: SlotName;
  readonly boot: BootState;
  /** Whether an agent runs now. */
  readonly isAgentUp: boolean;
}

/** @throws DeviceError `E_DEVICE_SLOTS` */
export function readStatus(settings: AgentSettings): AgentStatus {
  const slots = openSlots(settings.slots);
  const record = peekRecord(agentDisk, join(settings.state, 'journal'));
  return {
    record: record ?? newRecord(settings.image),
    running: slots.running(),
    boot: slots.boot(),
    isAgentUp: isAgentUp(settings.state),
  };
}

/** Whether another process has the state folder. */
export function isAgentUp(folder: string): boolean {
  try {
    lockFolder(folder)();
    return false;
  } catch (error) {
    return error instanceof DeviceError && error.code === 'E_DEVICE_STORE_BUSY';
  }
}

/** An image is on trial, and nobody is there to confirm it or to go back. */
export function isAbandoned({ boot, running, isAgentUp: isUp }: AgentStatus): boolean {
  return boot.trial === running && !isUp;
}

/** The status in words. */
export function formatStatus({ record, running, boot, isAgentUp: isUp }: AgentStatus): string {
  const { confirmed, update, reports } = record;
  const slots = [`${running} runs`, `${boot.slot} is confirmed`];
  if (boot.trial !== undefined) slots.push(`${boot.trial} is on trial, ${boot.tries} tries left`);
  const release = update.image?.release ?? update.offered;
  const lines: readonly (readonly [string, string] | undefined)[] = [
    ['Confirmed', `${confirmed.release ?? 'unknown image'}, security counter ${confirmed.counter}`],
    ['Slots', slots.join('; ')],
    ['Update', release === undefined ? 'none so far' : `${release}: ${update.state}`],
    update.why === undefined ? undefined : ['Why', update.why],
    reports.length === 0 ? undefined : ['Reports', `${reports.length} wait for the server`],
    ['Agent', isUp ? 'runs' : 'does not run'],
  ];
  return lines
    .filter((line) => line !== undefined)
    .map(([name, text]) => `${name.padEnd(LABEL_WIDTH)}${text}\n`)
    .join('');
}

const LABEL_WIDTH = 11;
