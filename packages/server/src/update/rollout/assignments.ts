/** Carries out what rollouts owe to devices: the director names the release, or does not. @module */
import { type DeviceId, Refusal, parseDeviceId } from '@holdfast/protocol';
import type { Log } from '../../kernel/index.ts';
import type { Director, Releases } from '../ports.ts';
import { ASSIGNMENTS_AT_ONCE, ASSIGNMENTS_BATCH } from './limits.ts';

/** What the director is to name for a device: the id of a release, or nothing. */
export interface Duty {
  readonly release: string | undefined;
  /** By which rollout. */
  readonly rollout: string;
  /** The director names it now, durably. */
  readonly done: () => void;
}

/** What it needs. */
export interface AssignmentsDeps {
  readonly director: Pick<Director, 'assignMany'>;
  readonly releases: Pick<Releases, 'byId'>;
  readonly log: Log;
  /** What is owed to a device as things stand on the disk; undefined for nothing. */
  readonly dutyOf: (device: string) => Duty | undefined;
}

/**
 * The assignments under way: some batches at a time, and a device in one of them only, so that a
 * later word never overtakes an earlier one. What fails is owed still, and asked for again by
 * whoever has noted it.
 */
export class Assignments {
  readonly #deps: AssignmentsDeps;
  readonly #owing = new Set<string>();
  readonly #underWay = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor(deps: AssignmentsDeps) {
    this.#deps = deps;
  }

  /** Something may be owed to these devices. */
  add(devices: Iterable<string>): void {
    for (const device of devices) this.#owing.add(device);
    this.#pump();
  }

  /** Begins no more of them, and waits for those under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  #pump(): void {
    while (!this.#isStopped && this.#running.size < ASSIGNMENTS_AT_ONCE) {
      const batch = this.#nextBatch();
      const [first] = batch.values();
      if (first === undefined) return;
      for (const device of batch.keys()) this.#underWay.add(device);
      const running = this.#carryOut(batch, first).finally(() => {
        this.#running.delete(running);
        for (const device of batch.keys()) this.#underWay.delete(device);
        this.#pump();
      });
      this.#running.add(running);
    }
  }

  /** Devices for which a rollout wants the same. */
  #nextBatch(): Map<DeviceId, Duty> {
    const batch = new Map<DeviceId, Duty>();
    let first: Duty | undefined;
    for (const device of this.#owing) {
      if (batch.size >= ASSIGNMENTS_BATCH) break;
      if (this.#underWay.has(device)) continue;
      const duty = this.#deps.dutyOf(device);
      const id = parseDeviceId(device);
      if (duty === undefined || id instanceof Refusal) {
        this.#owing.delete(device);
        continue;
      }
      first ??= duty;
      if (duty.release !== first.release || duty.rollout !== first.rollout) continue;
      this.#owing.delete(device);
      batch.set(id, duty);
    }
    return batch;
  }

  async #carryOut(
    batch: ReadonlyMap<DeviceId, Duty>,
    { release: id, rollout }: Duty,
  ): Promise<void> {
    const { director, releases, log } = this.#deps;
    try {
      const release = id === undefined ? undefined : releases.byId(id);
      const by = { principal: 'server', reason: `rollout ${rollout}` };
      await director.assignMany([...batch.keys()], release, by);
      for (const { done } of batch.values()) done();
    } catch (error) {
      const event = { 'event.action': 'rollout.assign', 'event.outcome': 'failure' };
      log.error(
        { ...event, 'rollout.id': rollout, 'error.message': String(error) },
        'assignments failed, and are tried again',
      );
    }
  }
}
