/** All rollouts in memory, written through: events are worked out one at a time. @module */
import { Refusal } from '@holdfast/protocol';
import type { RolloutEvent } from './events.ts';
import { nextRollout } from './next-rollout.ts';
import { type DeviceRecord, IN_PROGRESS, type RolloutHead } from './rollout-records.ts';
import type { RolloutStore } from './rollout-store.ts';
import type { RolloutStep } from './working.ts';

/** A rollout in memory. What has ended and is settled has its devices on the disk only. */
export interface Entry {
  head: RolloutHead;
  readonly devices: Map<string, DeviceRecord>;
}

/** An event, and the rollout that it happens to. */
export interface Happening {
  readonly entry: Entry;
  readonly event: RolloutEvent;
}

/** The rollouts of one server. */
export class Ledger {
  readonly #store: RolloutStore;
  readonly #entries = new Map<string, Entry>();
  readonly #dirty = new Map<Entry, Map<string, DeviceRecord>>();
  readonly #onDurable: (entry: Entry, changed: Iterable<DeviceRecord>) => void;

  /** @param onDurable - hears what has changed once it is on the disk, and acts on it. */
  constructor(
    store: RolloutStore,
    onDurable: (entry: Entry, changed: Iterable<DeviceRecord>) => void,
  ) {
    this.#store = store;
    this.#onDurable = onDurable;
    const heads = store.heads().sort((a, b) => a.number - b.number);
    for (const head of heads) {
      const devices = isLoaded(head) ? store.devices(head.id) : new Map<string, DeviceRecord>();
      this.#entries.set(head.id, { head, devices });
    }
  }

  /** Oldest first. */
  all(): Entry[] {
    return [...this.#entries.values()];
  }

  byId(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** The records of a rollout, wherever they are. */
  devicesOf({ head, devices }: Entry): ReadonlyMap<string, DeviceRecord> {
    return devices.size > 0 || isLoaded(head) ? devices : this.#store.devices(head.id);
  }

  add(head: RolloutHead): Entry {
    const entry = { head, devices: new Map<string, DeviceRecord>() };
    this.#store.write([{ head, changed: [] }]);
    this.#entries.set(head.id, entry);
    return entry;
  }

  remove(id: string): void {
    this.#store.remove(id);
    this.#entries.delete(id);
  }

  /** What would refuse an event now. */
  judge({ entry, event }: Happening): Refusal | undefined {
    const step = nextRollout(entry, event);
    return step instanceof Refusal ? step : undefined;
  }

  /**
   * What people do: all of it is on the disk when this returns, or nothing has happened.
   * @throws when the disk fails.
   */
  act(happenings: readonly Happening[]): Refusal | undefined {
    this.flush();
    const undo: (() => void)[] = [];
    try {
      for (const { entry, event } of happenings) {
        const step = nextRollout(entry, event);
        if (step instanceof Refusal) throw new Refused(step);
        undo.push(this.#apply(entry, step));
      }
      this.flush();
      return undefined;
    } catch (error) {
      for (const back of undo.reverse()) back();
      this.#dirty.clear();
      if (error instanceof Refused) return error.refusal;
      throw error;
    }
  }

  /** What takes something away: it holds even when it cannot be stored, and is stored later. */
  takeAway(happening: Happening): Refusal | undefined {
    const refusal = this.happen(happening);
    if (refusal === undefined) this.flush();
    return refusal;
  }

  /** What the world does: it counts at once, and is on the disk after the next {@link flush}. */
  happen({ entry, event }: Happening): Refusal | undefined {
    const step = nextRollout(entry, event);
    if (step instanceof Refusal) return step;
    this.#apply(entry, step);
    return undefined;
  }

  /** Whether something is not on the disk yet. */
  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** Whether what is known of a device is on the disk. */
  isDurable(entry: Entry, device: string): boolean {
    return this.#dirty.get(entry)?.has(device) !== true;
  }

  /** Puts on the disk what has changed. @throws when the disk fails; it stays to be written. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    const changes = [...this.#dirty].map(([entry, changed]) => ({ entry, changed }));
    this.#store.write(
      changes.map(({ entry, changed }) => ({ head: entry.head, changed: changed.values() })),
    );
    this.#dirty.clear();
    for (const { entry, changed } of changes) this.#onDurable(entry, changed.values());
  }

  #apply(entry: Entry, { head, changed }: RolloutStep): () => void {
    const before = entry.head;
    if (head === before && changed.length === 0) return () => {};
    const dirty = this.#dirty.get(entry) ?? new Map<string, DeviceRecord>();
    this.#dirty.set(entry, dirty);
    const replaced = changed.map((record) => entry.devices.get(record.device));
    entry.head = head;
    for (const record of changed) {
      entry.devices.set(record.device, record);
      dirty.set(record.device, record);
    }
    return () => {
      entry.head = before;
      for (const [at, { device }] of changed.entries()) {
        const record = replaced[at];
        if (record === undefined) entry.devices.delete(device);
        else entry.devices.set(device, record);
      }
    };
  }
}

class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

/** Whether there is anything to do, or to hear, for devices of a rollout. */
function isLoaded({ state, tallies, beyond, notices }: RolloutHead): boolean {
  if (state !== 'finished' && state !== 'aborted') return true;
  const isAtWork = [...tallies, beyond].some(
    (tally) => tally.owed > 0 || [...IN_PROGRESS].some((one) => tally[one] > 0),
  );
  return isAtWork || notices.length > 0;
}
