/** A rollout while one event is worked out: what has changed, and the sums of it. @module */
import {
  type DeviceRecord,
  EMPTY_TALLY,
  type Notice,
  type RolloutHead,
  type Tally,
} from './rollout-records.ts';

/** A rollout with its devices. */
export interface RolloutState {
  readonly head: RolloutHead;
  readonly devices: ReadonlyMap<string, DeviceRecord>;
}

/**
 * What an event makes of a rollout: the new head, and the devices that have changed. What has to
 * be done outside stands in them as well: devices with `isOwed`, and the notices of the head.
 */
export interface RolloutStep {
  readonly head: RolloutHead;
  readonly changed: readonly DeviceRecord[];
}

/** Collects the changes of one event; the state that it began with stays as it is. */
export class Working {
  readonly #before: RolloutState;
  readonly #changed = new Map<string, DeviceRecord>();
  readonly #tallies: Tally[];
  #beyond: Tally;
  #head: RolloutHead;

  constructor(state: RolloutState) {
    this.#before = state;
    this.#head = state.head;
    this.#tallies = [...state.head.tallies];
    this.#beyond = state.head.beyond;
  }

  get head(): RolloutHead {
    return this.#head;
  }

  /** By stage, with all changes so far. */
  get tallies(): readonly Tally[] {
    return this.#tallies;
  }

  get beyond(): Tally {
    return this.#beyond;
  }

  get(device: string): DeviceRecord | undefined {
    return this.#changed.get(device) ?? this.#before.devices.get(device);
  }

  /** All devices. None may be added while they are read; they may be changed. */
  *devices(): Generator<DeviceRecord> {
    for (const [id, before] of this.#before.devices) yield this.#changed.get(id) ?? before;
    for (const [id, record] of this.#changed) {
      if (!this.#before.devices.has(id)) yield record;
    }
  }

  setHead(change: Partial<RolloutHead>): void {
    this.#head = { ...this.#head, ...change };
  }

  set(record: DeviceRecord): void {
    const before = this.get(record.device);
    if (before !== undefined) this.#count(before, -1);
    this.#count(record, 1);
    this.#changed.set(record.device, record);
  }

  /** Something that is to be put on the log. */
  notice(action: Notice['action'], facts: Notice['facts'], reason?: string): void {
    const { nextNotice: number, notices } = this.#head;
    const notice = { number, action, facts, ...(reason !== undefined && { reason }) };
    this.setHead({ notices: [...notices, notice], nextNotice: number + 1 });
  }

  /** What came of it; the very same head when nothing has changed. */
  step(): RolloutStep {
    const { head } = this.#before;
    if (this.#changed.size === 0 && this.#head === head) return { head, changed: [] };
    const sums = { tallies: this.#tallies, beyond: this.#beyond };
    return { head: { ...this.#head, ...sums }, changed: [...this.#changed.values()] };
  }

  #count({ stage, state, isOverdue, isSilent, isOwed }: DeviceRecord, by: 1 | -1): void {
    const tally = stage < 0 ? this.#beyond : (this.#tallies[stage] ?? EMPTY_TALLY);
    const counted = {
      ...tally,
      [state]: tally[state] + by,
      overdue: tally.overdue + (isOverdue ? by : 0),
      silent: tally.silent + (isSilent ? by : 0),
      owed: tally.owed + (isOwed ? by : 0),
    };
    if (stage < 0) this.#beyond = counted;
    else this.#tallies[stage] = counted;
  }
}

/** The state after a step, as a copy. */
export function applied(state: RolloutState, { head, changed }: RolloutStep): RolloutState {
  const devices = new Map(state.devices);
  for (const record of changed) devices.set(record.device, record);
  return { head, devices };
}
