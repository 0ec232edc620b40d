/** Watches the disk: how much room there is, and how it takes what is written. @module */
import type { CancelTimer, Clock, Log } from '../kernel/index.ts';
import { COMMIT_SLOW_CALM_MS, COMMIT_SLOW_MS, DISK_CHECK_MS, DISK_ROOM_AGAIN } from './limits.ts';

/**
 * How the disk is: `full` from the reserve on, when messages are refused; `failing` while it
 * refuses what is written; `slow` while commits take too long.
 */
export type DiskCondition = 'good' | 'slow' | 'failing' | 'full';

/** What was found last. */
export interface DiskFigures {
  readonly condition: DiskCondition;
  /** Undefined while the system does not tell. */
  readonly freeBytes: number | undefined;
  readonly reserveBytes: number;
}

/** What the watch needs. */
export interface DiskWatchDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Free bytes below which messages are refused. */
  readonly reserveBytes: number;
  /** Asks the system for the free bytes of the disk. */
  readonly readFreeBytes: () => Promise<number>;
  readonly journal: {
    /** False while the disk refuses what is written. */
    readonly isHealthy: boolean;
    /** How long the commit on its way has taken so far, in milliseconds; 0 for none. */
    readonly commitMs: number;
  };
}

/** The disk of one server. */
export class DiskWatch {
  readonly #deps: DiskWatchDeps;
  readonly #listeners = new Set<(figures: DiskFigures, before: DiskCondition) => void>();
  #freeBytes: number | undefined;
  #hasRoom = true;
  #slowAtMs = Number.NEGATIVE_INFINITY;
  #condition: DiskCondition = 'good';
  #canRead = true;
  #cancel: CancelTimer | undefined;
  #isClosed = false;

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps;
  }

  /** Whether messages may be stored. */
  get hasRoom(): boolean {
    return this.#hasRoom;
  }

  get figures(): DiskFigures {
    const { reserveBytes } = this.#deps;
    return { condition: this.#condition, freeBytes: this.#freeBytes, reserveBytes };
  }

  /** Tells of each change of the condition. */
  onChange(listener: (figures: DiskFigures, before: DiskCondition) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks now, and from then on every `DISK_CHECK_MS`. */
  async start(): Promise<void> {
    await this.#check();
    if (this.#isClosed) return;
    this.#cancel = this.#deps.clock.after(DISK_CHECK_MS, () => void this.start());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #check(): Promise<void> {
    try {
      this.#freeBytes = await this.#deps.readFreeBytes();
      this.#canRead = true;
    } catch (error) {
      this.#freeBytes = undefined;
      if (this.#canRead) this.#logUnread(error);
      this.#canRead = false;
    }
    if (!this.#isClosed) this.#judge();
  }

  #judge(): void {
    const { journal, clock, reserveBytes } = this.#deps;
    // While the system does not tell, what it told last counts; a full disk then fails to write.
    const freeBytes = this.#freeBytes ?? (this.#hasRoom ? Infinity : 0);
    const wanted = this.#hasRoom ? reserveBytes : reserveBytes * DISK_ROOM_AGAIN;
    this.#hasRoom = freeBytes >= wanted;
    const nowMs = clock.monotonicMs();
    if (journal.commitMs >= COMMIT_SLOW_MS) this.#slowAtMs = nowMs;
    const isSlow = nowMs - this.#slowAtMs < COMMIT_SLOW_CALM_MS;
    if (!this.#hasRoom) this.#become('full');
    else if (!journal.isHealthy) this.#become('failing');
    else this.#become(isSlow ? 'slow' : 'good');
  }

  #become(condition: DiskCondition): void {
    const before = this.#condition;
    if (condition === before) return;
    this.#condition = condition;
    for (const listener of this.#listeners) listener(this.figures, before);
  }

  #logUnread(error: unknown): void {
    const event = { 'event.action': 'disk-free', 'event.outcome': 'failure' };
    const fields = { ...event, 'error.message': String(error) };
    this.#deps.log.warn(fields, 'the system does not tell how much room the disk has');
  }
}
