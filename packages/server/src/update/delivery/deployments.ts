/**
 * Assignments as hawkBit and Mender clients see them: each one has a number, is begun by the
 * device, and closed by its result. Our own devices need none of that.
 * @module
 */
import { UPDATE_STATES, type UpdateState } from '@holdfast/firmware';
import type { DeviceId } from '@holdfast/protocol';
import { z } from 'zod';
import type { Clock } from '../../kernel/index.ts';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import type { Director } from '../ports.ts';

const DeploymentSchema = z.object({
  device: z.string(),
  /** At most 2^31 - 1: clients keep it in 32 bits, and compare it with the last one. 0: none. */
  number: z.int().min(0),
  /** `<line>@<version>`. */
  release: z.string(),
  sha256: z.string(),
  /** `begun`: the device has looked at it, so it has to be told when it is not to go on. */
  stage: z.enum(['offered', 'begun', 'closed']),
  hasFailed: z.boolean(),
  /** Number of one before this that the device has begun, and is to stop. */
  stopping: z.int().optional(),
  /** What the device said of itself last, so that it is asked and noted once. */
  attributes: z.string().optional(),
});
/** What a device is to install, or has installed. */
export type Deployment = Readonly<z.infer<typeof DeploymentSchema>>;

/** What deployments are made of. */
export interface DeploymentsDeps {
  readonly clock: Clock;
  readonly store: Pick<SealedStore, 'collection'>;
  readonly director: Pick<Director, 'assigned'>;
}

/** The deployments of all devices that ask by DDI or Mender: in memory, written through. */
export class Deployments {
  readonly #deps: DeploymentsDeps;
  readonly #records: Collection<Deployment>;
  readonly #byDevice = new Map<string, Deployment>();
  /** How far the devices have come with what they have begun, since the start of the server. */
  readonly #progress = new Map<string, { readonly number: number; readonly state: UpdateState }>();
  /** By device: the number of the update whose log has come, since the start of the server. */
  readonly #logged = new Map<string, number>();

  constructor(deps: DeploymentsDeps) {
    this.#deps = deps;
    this.#records = deps.store.collection('deployment', DeploymentSchema, { isCounted: false });
    for (const record of this.#records.all()) this.#byDevice.set(record.device, record);
  }

  /** What a device is to install now; undefined when there is nothing, or it has ended. */
  current(device: DeviceId): Deployment | undefined {
    const record = this.#follow(device);
    return record === undefined || record.stage === 'closed' ? undefined : record;
  }

  /** What it was to install last, whatever has become of it. */
  lastOf(device: DeviceId): Deployment | undefined {
    return this.#byDevice.get(device);
  }

  /** The number of what a device has begun and is to stop. */
  stopping(device: DeviceId): number | undefined {
    return this.#follow(device)?.stopping;
  }

  /** Whether a number was ever given to this device. */
  hasGiven(device: DeviceId, number: number): boolean {
    return number >= 1 && number <= (this.#byDevice.get(device)?.number ?? 0);
  }

  /** The device has looked at what it is to install. */
  begin(device: DeviceId, number: number): void {
    const record = this.current(device);
    if (record?.number === number && record.stage === 'offered') {
      this.#write({ ...record, stage: 'begun' });
    }
  }

  /** Notes how far a device has come. @returns whether that is new, and no step back. */
  advance(device: DeviceId, number: number, state: UpdateState): boolean {
    const before = this.#progress.get(device);
    const isFurther = UPDATE_STATES.indexOf(state) > UPDATE_STATES.indexOf(before?.state ?? 'idle');
    if (before?.number === number && !isFurther) return false;
    this.#progress.set(device, { number, state });
    return true;
  }

  /** The device begins anew with what it was to install. */
  restart(device: DeviceId): void {
    this.#progress.delete(device);
  }

  /** The device has ended it, well or not: it is not offered again. */
  close(device: DeviceId, number: number, { hasFailed }: { readonly hasFailed: boolean }): void {
    const record = this.current(device);
    if (record?.number === number) this.#write({ ...record, stage: 'closed', hasFailed });
  }

  /** The device has heard that it is not to go on. */
  stopped(device: DeviceId, number: number): void {
    const record = this.#byDevice.get(device);
    if (record?.stopping === number) this.#write({ ...record, stopping: undefined });
  }

  /** The same release was assigned again: what has failed is tried once more. */
  offerAgain(device: DeviceId): void {
    const record = this.#follow(device);
    if (record?.stage !== 'closed' || !record.hasFailed) return;
    const assigned = this.#deps.director.assigned(device);
    if (assigned?.sha256 === record.sha256) this.#write({ ...record, sha256: '', release: '' });
  }

  /** What a device said of itself last. */
  attributesOf(device: DeviceId): string | undefined {
    return this.#byDevice.get(device)?.attributes;
  }

  /** Notes what a device says of itself. */
  note(device: DeviceId, attributes: string): void {
    const record = this.#follow(device) ?? nothing(device);
    if (record.attributes !== attributes) this.#write({ ...record, attributes });
  }

  /** Whether the log of a failed update is still to come. */
  awaitsLog(device: DeviceId, number: number): boolean {
    const record = this.#byDevice.get(device);
    const isOfIt = record?.number === number && record.hasFailed;
    return isOfIt && this.#logged.get(device) !== number;
  }

  /** The log has come: to read a megabyte of JSON stops all others, so it is done once. */
  noteLog(device: DeviceId, number: number): void {
    this.#logged.set(device, number);
  }

  /** Forgets a device; what it asks for next has a number higher than any before. */
  forget(device: string): void {
    this.#records.remove(device);
    this.#byDevice.delete(device);
    this.#progress.delete(device);
    this.#logged.delete(device);
  }

  /** Takes over what the director says; a poll after which nothing is new costs two look-ups. */
  #follow(device: DeviceId): Deployment | undefined {
    const assigned = this.#deps.director.assigned(device);
    const record = this.#byDevice.get(device);
    const isSame = record?.sha256 === assigned?.sha256 && record?.release === assigned?.id;
    if (isSame || (assigned === undefined && isOver(record))) return record;
    const before = record ?? nothing(device);
    const stopping = before.stage === 'begun' ? before.number : before.stopping;
    const next: Deployment =
      assigned === undefined
        ? { ...before, release: '', sha256: '', stage: 'closed', hasFailed: false, stopping }
        : {
            ...before,
            number: this.#nextNumber(before.number),
            release: assigned.id,
            sha256: assigned.sha256,
            stage: 'offered',
            hasFailed: false,
            stopping,
          };
    this.#write(next);
    return next;
  }

  /** Higher than all before, also when the records are an older copy. */
  #nextNumber(before: number): number {
    const seconds = Math.floor((this.#deps.clock.nowMs() - NUMBERS_SINCE_MS) / 1_000);
    return Math.max(before + 1, seconds);
  }

  #write(record: Deployment): void {
    this.#records.write(record.device, record);
    this.#byDevice.set(record.device, record);
  }
}

function nothing(device: string): Deployment {
  return { device, number: 0, release: '', sha256: '', stage: 'closed', hasFailed: false };
}

/** Whether it says no more than that nothing is to be done. One that failed may be tried again. */
function isOver(record: Deployment | undefined): boolean {
  return record === undefined || (record.stage === 'closed' && !record.hasFailed);
}

/** 2026-01-01: the seconds since then fit 31 bits for 68 years. */
const NUMBERS_SINCE_MS = 1_767_225_600_000;
