/** What one simulated device publishes: readings at their rate, and those that it has kept. @module */
import type { Device } from '@holdfast/device';
import type { FleetClock } from './fleet-clock.ts';
import type { FleetCounts } from './fleet-counts.ts';
import { UNACKNOWLEDGED_MAX } from './limits.ts';
import type { Thing } from './thing.ts';
import type { Timers } from './timers.ts';

/** What it is made of. */
export interface ReadingSourceDeps {
  readonly thing: Thing;
  readonly counts: FleetCounts;
  /** By which the device signs. */
  readonly clock: FleetClock;
  readonly timers: Timers;
  /** Time between two readings, in milliseconds. */
  readonly periodMs: number;
}

/** Publishes over whichever connection its device has. */
export class ReadingSource {
  readonly #deps: ReadingSourceDeps;
  #device: Device | undefined;
  #unacknowledged = 0;
  #dueMs = 0;

  constructor(deps: ReadingSourceDeps) {
    this.#deps = deps;
  }

  /** Goes on over a connection, until the timers are cleared. */
  start(device: Device, phase: number): void {
    this.#device = device;
    this.#dueMs = performance.now() + phase * this.#deps.periodMs;
    this.#schedule();
  }

  /** One after the other, as each one is signed with the time that the clock shows meanwhile. */
  async handOver(device: Device, timesMs: readonly number[]): Promise<void> {
    const { thing, counts, clock } = this.#deps;
    try {
      for (const timeMs of timesMs) {
        clock.pretend(timeMs);
        await device.publish(thing.measure(timeMs));
        counts.acknowledged += 1;
        counts.keptBefore += 1;
      }
    } catch {
      // It was closed, or the queue is full: what is left is lost, as with a device that is reset.
    } finally {
      clock.pretend(undefined);
    }
  }

  /** Publishes what is no reading. Whoever closes the connection meanwhile means to. */
  tell(device: Device, body: object, topic: string): void {
    device.publish(body, { topic }).catch(() => {});
  }

  #schedule(): void {
    const { periodMs, timers, counts } = this.#deps;
    const nowMs = performance.now();
    // Who is late by several readings does not make up for them.
    if (this.#dueMs < nowMs - 5 * periodMs) {
      counts.passedOver += Math.floor((nowMs - this.#dueMs) / periodMs);
      this.#dueMs = nowMs;
    }
    timers.after(Math.max(0, this.#dueMs - nowMs), () => {
      void this.#read();
      this.#dueMs += periodMs;
      this.#schedule();
    });
  }

  async #read(): Promise<void> {
    const { thing, clock, counts } = this.#deps;
    if (this.#unacknowledged >= UNACKNOWLEDGED_MAX) {
      counts.passedOver += 1;
      return;
    }
    this.#unacknowledged += 1;
    try {
      await this.#device?.publish(thing.measure(clock.nowMs()));
      counts.acknowledged += 1;
    } catch {
      // It was closed on purpose meanwhile.
    } finally {
      this.#unacknowledged -= 1;
    }
  }
}
