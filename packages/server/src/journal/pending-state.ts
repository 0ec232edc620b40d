/** State on its way to the disk: encoded as late as possible, so that many changes cost one write. @module */
import { STATE_BATCH_BYTES } from './limits.ts';
import type { StateChange } from './state-store.ts';

/** Gives the value as it is now; undefined removes the key. */
export type EncodeState = () => Uint8Array | undefined;

/** Under this key stands {@link encodeRouted}. */
export const ROUTED_KEY = 'routed';

const NOTHING: TakenState = { changes: [], bytes: 0 };

/** What goes with one batch. */
export interface TakenState {
  readonly changes: readonly StateChange[];
  readonly bytes: number;
}

/** Gathers what is to be saved with the next batch, and what may wait for the next tick. */
export class PendingState {
  /** Goes with the next batch. */
  readonly #now = new Map<string, EncodeState>();
  /** Waits for the next tick. */
  #soon = new Map<string, EncodeState>();
  /** Of the tick that has begun: goes with the next batches, a part with each. */
  #due = new Map<string, EncodeState>();
  #dueRouted: number | undefined;
  #lastRouted: number | undefined;

  /** Whether there is something for the next batch. */
  get isReady(): boolean {
    return this.#now.size > 0 || this.isTicking;
  }

  /** Whether something of the latest tick has still to be taken. */
  get isTicking(): boolean {
    return this.#due.size > 0 || this.#dueRouted !== undefined;
  }

  /** Saves with the next batch, in place of what the key was to be saved as so far. */
  save(key: string, encode: EncodeState): void {
    this.#soon.delete(key);
    this.#due.delete(key);
    this.#now.set(key, encode);
  }

  /** Saves with the next tick; earlier if the key is on its way already. */
  saveSoon(key: string, encode: EncodeState): void {
    if (this.#now.has(key)) this.#now.set(key, encode);
    else if (this.#due.has(key)) this.#due.set(key, encode);
    else this.#soon.set(key, encode);
  }

  /**
   * Lets everything saved so far go with the next batches. `routed` goes with the last of them:
   * what changed by entries below it is then on the disk, whatever changed later.
   *
   * @param routed - See {@link encodeRouted}; undefined when it is not to be saved.
   */
  beginTick(routed: number | undefined): void {
    for (const [key, encode] of this.#soon) this.#due.set(key, encode);
    this.#soon = new Map();
    if (routed === undefined || routed === this.#lastRouted) return;
    this.#dueRouted = routed;
    this.#lastRouted = routed;
  }

  /** Encodes what goes with this batch. */
  take(): TakenState {
    if (!this.isReady) return NOTHING;
    const changes: StateChange[] = [];
    let bytes = 0;
    const takeOne = (key: string, encode: EncodeState): void => {
      const value = encode();
      changes.push({ key, value });
      bytes += key.length + (value?.length ?? 0);
    };
    for (const [key, encode] of this.#now) takeOne(key, encode);
    this.#now.clear();
    for (const [key, encode] of this.#due) {
      if (bytes >= STATE_BATCH_BYTES) return { changes, bytes };
      this.#due.delete(key);
      takeOne(key, encode);
    }
    const routed = this.#dueRouted;
    this.#dueRouted = undefined;
    if (routed !== undefined) takeOne(ROUTED_KEY, () => encodeRouted(routed));
    return { changes, bytes };
  }
}

/**
 * The index of the log up to which (exclusively) everything is reflected in what is saved: from
 * there on the log has to be replayed after a crash.
 */
export function encodeRouted(index: number): Uint8Array {
  return Buffer.from(String(index), 'latin1');
}

/**
 * Reads what {@link encodeRouted} wrote.
 * @throws TypeError when it is something else.
 */
export function decodeRouted(value: Uint8Array): number {
  const text = Buffer.from(value).toString('latin1');
  const index = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(index))
    throw new TypeError('not the index of an entry');
  return index;
}
