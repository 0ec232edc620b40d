/** The rollouts on the disk: what one batch of events changes is one transaction. @module */
import type { Collection, SealedStore } from '../../persistence/index.ts';
import {
  type DeviceRecord,
  DeviceRecordSchema,
  type RolloutHead,
  RolloutHeadSchema,
} from './rollout-records.ts';

/** What is to be written of a rollout. */
export interface RolloutChange {
  readonly head: RolloutHead;
  readonly changed: Iterable<DeviceRecord>;
}

/** The records of all rollouts. The devices of each are a collection of their own. */
export class RolloutStore {
  readonly #store: Pick<SealedStore, 'collection' | 'transaction'>;
  readonly #heads: Collection<RolloutHead>;
  readonly #devices = new Map<string, Collection<DeviceRecord>>();

  constructor(store: Pick<SealedStore, 'collection' | 'transaction'>) {
    this.#store = store;
    this.#heads = store.collection('rollout', RolloutHeadSchema);
  }

  heads(): RolloutHead[] {
    return this.#heads.all();
  }

  /** The devices of a rollout, by their ids. */
  devices(rollout: string): Map<string, DeviceRecord> {
    const records = this.#devicesOf(rollout).all();
    records.sort((a, b) => a.place - b.place);
    return new Map(records.map((record) => [record.device, record]));
  }

  /** All of it is on the disk when this returns, or nothing. */
  write(changes: readonly RolloutChange[]): void {
    this.#store.transaction(() => {
      for (const { head, changed } of changes) {
        this.#heads.write(head.id, head);
        const devices = this.#devicesOf(head.id);
        for (const record of changed) devices.write(record.device, record);
      }
    });
  }

  remove(rollout: string): void {
    this.#store.transaction(() => {
      const devices = this.#devicesOf(rollout);
      for (const { device } of devices.all()) devices.remove(device);
      this.#heads.remove(rollout);
    });
    this.#devices.delete(rollout);
  }

  #devicesOf(rollout: string): Collection<DeviceRecord> {
    const known = this.#devices.get(rollout);
    if (known !== undefined) return known;
    const made = this.#store.collection(`rollout-${rollout}`, DeviceRecordSchema);
    this.#devices.set(rollout, made);
    return made;
  }
}
