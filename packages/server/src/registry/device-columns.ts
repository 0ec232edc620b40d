/**
 * The fleet in columns: what is asked of every device in one go stands side by side in memory, so
 * that to look through 100,000 of them takes a few milliseconds, in which no message waits.
 * @module
 */
import { DEVICE_CLASS_NAMES } from './device-classes.ts';
import { BOOT_PROOFS, DEVICE_STATES, type Device } from './device-records.ts';
import { SharedTexts } from './shared-texts.ts';

/** Place of a device in the columns; it keeps it until the next start. */
export type Slot = number;

/** Numbers for values that many devices share; a value keeps its number. */
class Numbered<T> {
  readonly #numbers = new Map<string, number>();
  readonly #values: T[] = [];
  readonly #keyOf: (value: T) => string;

  constructor(keyOf: (value: T) => string) {
    this.#keyOf = keyOf;
  }

  numberOf(value: T): number {
    const key = this.#keyOf(value);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#values.length);
    return this.#values.push(value) - 1;
  }

  /** The values in the order of their numbers. */
  get values(): readonly T[] {
    return this.#values;
  }
}

const CLASSES = new Map<string, number>(DEVICE_CLASS_NAMES.map((name, at) => [name, at]));
const STATES = new Map<string, number>(DEVICE_STATES.map((name, at) => [name, at]));
const BOOTS = new Map<string | undefined, number>(BOOT_PROOFS.map((name, at) => [name, at + 1]));
const NO_TAGS: readonly string[] = [];
const FIRST_CAPACITY = 1_024;

/** All devices, in columns. Who reads them keeps nothing of them: arrays are replaced as they grow. */
export class DeviceColumns {
  /** By slot: the records, and their ids in lower case. */
  readonly devices: Device[] = [];
  readonly lowerIds: string[] = [];
  /** By slot: numbers of `DEVICE_STATES` and `DEVICE_CLASS_NAMES`; 0 without a TPM, or 1 + proof. */
  states = new Uint8Array(FIRST_CAPACITY);
  classes = new Uint8Array(FIRST_CAPACITY);
  boots = new Uint8Array(FIRST_CAPACITY);
  /** By slot: numbers of `groupNames` and `tagSets`. */
  groups = new Uint32Array(FIRST_CAPACITY);
  tags = new Uint32Array(FIRST_CAPACITY);
  /** By slot: since when it is in its state, and when it was heard of last; 0: unknown. */
  sinceMs = new Float64Array(FIRST_CAPACITY);
  seenMs = new Float64Array(FIRST_CAPACITY);
  /** By slot: 1 while it is connected. */
  online = new Uint8Array(FIRST_CAPACITY);
  /** By slot: number of `runningTexts`; 0: unknown. */
  running = new Uint32Array(FIRST_CAPACITY);
  readonly groupNames = new Numbered<string>((name) => name);
  readonly tagSets = new Numbered<readonly string[]>((tags) => tags.join(' '));
  /** What devices tell that they run: an image by its SHA-256, or a release. */
  readonly runningTexts = new SharedTexts();
  readonly #slots = new Map<string, Slot>();
  /** Slots in the order of the ids. */
  #order = new Uint32Array(FIRST_CAPACITY);

  /** @param devices - each id once, in any order. */
  constructor(devices: Iterable<Device> = []) {
    const sorted = [...devices].sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const [at, device] of sorted.entries()) this.#order[at] = this.#put(device);
  }

  get count(): number {
    return this.devices.length;
  }

  /** The slots in the order of the ids. */
  get order(): Uint32Array {
    return this.#order.subarray(0, this.count);
  }

  /** Takes a device, or what has become of it. */
  set(device: Device): void {
    if (this.#slots.has(device.id)) {
      this.#put(device);
      return;
    }
    const place = this.rankAfter(device.id);
    const end = this.count;
    const slot = this.#put(device);
    this.#order.copyWithin(place + 1, place, end);
    this.#order[place] = slot;
  }

  slotOf(id: string): Slot | undefined {
    return this.#slots.get(id);
  }

  /** A device was heard of; one that is not registered is none. */
  noteSeen(id: string, ms: number): void {
    const slot = this.#slots.get(id);
    if (slot !== undefined) this.seenMs[slot] = ms;
  }

  /** A device is connected from now on, or is so no more. */
  noteOnline(id: string, isOnline: boolean): void {
    const slot = this.#slots.get(id);
    if (slot !== undefined) this.online[slot] = isOnline ? 1 : 0;
  }

  /** A device tells what it runs, or, with an empty text, nothing of it is known any more. */
  noteRunning(id: string, text: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.running[slot] = this.runningTexts.exchange(this.running[slot] ?? 0, text);
  }

  /** Devices whose ids come after one, which need not be there itself; after `''` come all. */
  *after(id: string): Generator<Device> {
    for (let rank = this.rankAfter(id); rank < this.count; rank += 1) {
      const device = this.at(rank);
      if (device !== undefined) yield device;
    }
  }

  /** The device at a place in the order of the ids. */
  at(rank: number): Device | undefined {
    return this.devices[this.#order[rank] ?? -1];
  }

  /** How many ids are not greater than this one. */
  rankAfter(id: string): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle)?.id ?? '') <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #put(device: Device): Slot {
    const { id, state, class: className, boot, group, tags, stateAtMs } = device;
    const slot = this.#slots.get(id) ?? this.#newSlot(id);
    this.devices[slot] = device;
    this.states[slot] = STATES.get(state) ?? 0;
    this.classes[slot] = CLASSES.get(className) ?? 0;
    this.boots[slot] = BOOTS.get(boot) ?? 0;
    this.groups[slot] = this.groupNames.numberOf(group);
    this.tags[slot] = this.tagSets.numberOf(tags ?? NO_TAGS);
    this.sinceMs[slot] = stateAtMs;
    return slot;
  }

  #newSlot(id: string): Slot {
    const slot = this.lowerIds.length;
    const lower = id.toLowerCase();
    // The same text twice would be as much memory again.
    this.lowerIds.push(lower === id ? id : lower);
    this.#slots.set(id, slot);
    if (slot >= this.states.length) this.#grow(2 * this.states.length);
    return slot;
  }

  #grow(capacity: number): void {
    this.states = grown(this.states, new Uint8Array(capacity));
    this.classes = grown(this.classes, new Uint8Array(capacity));
    this.boots = grown(this.boots, new Uint8Array(capacity));
    this.groups = grown(this.groups, new Uint32Array(capacity));
    this.tags = grown(this.tags, new Uint32Array(capacity));
    this.sinceMs = grown(this.sinceMs, new Float64Array(capacity));
    this.seenMs = grown(this.seenMs, new Float64Array(capacity));
    this.online = grown(this.online, new Uint8Array(capacity));
    this.running = grown(this.running, new Uint32Array(capacity));
    this.#order = grown(this.#order, new Uint32Array(capacity));
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(before: T, after: T): T {
  after.set(before);
  return after;
}
