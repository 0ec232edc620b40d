/** One simulated device: its readings, outages, commands and misdeeds, through the device SDK. @module */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bundle, Command, ConnectOptions, Device, DeviceStatus } from '@holdfast/device';
import { reportFirmware } from './firmware-report.ts';
import { FleetClock } from './fleet-clock.ts';
import type { FleetCounts } from './fleet-counts.ts';
import {
  FIRST_MISDEED_MS,
  FRESH_MS,
  KEPT_READINGS_MAX,
  MISDEED_PAUSE_MS,
  REPORTS_WITHIN_MS,
} from './limits.ts';
import { MISDEED_TEXTS, misbehave } from './misdeeds.ts';
import { nextOutage, timesBetween } from './outages.ts';
import type { Misdeed } from './plan.ts';
import { ReadingSource } from './reading-source.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Thing } from './thing.ts';
import { Timers } from './timers.ts';

/** What a simulated device is made of. */
export interface SimulatedDeviceDeps {
  /** Of the device SDK. */
  readonly connect: (options: ConnectOptions) => Device;
  readonly id: string;
  /** Reads its bundle: certificates are renewed, and pins change. */
  readonly load: () => Bundle;
  readonly thing: Thing;
  /** The release that it runs, `<line>@<version>`. */
  readonly firmware: string;
  readonly random: SeededRandom;
  readonly counts: FleetCounts;
  readonly nowMs: () => number;
  /** Time between two readings, in milliseconds. */
  readonly periodMs: number;
  /** How old a reading may be that the server still takes, in milliseconds. */
  readonly lateMaxMs: number;
  /** Without them it stays connected all the time. */
  readonly hasOutages: boolean;
  readonly misdeed?: Misdeed | undefined;
  /** The device that is misused by one that spoofs. */
  readonly victim: string;
}

/** A device that runs from {@link start} to {@link stop}. */
export class SimulatedDevice {
  readonly #deps: SimulatedDeviceDeps;
  readonly #clock: FleetClock;
  readonly #timers = new Timers();
  readonly #stopping = new AbortController();
  readonly #readings: ReadingSource;
  #device: Device | undefined;
  #isOnline = false;
  #hasMisbehaved = false;
  #hasReported = false;

  constructor(deps: SimulatedDeviceDeps) {
    this.#deps = deps;
    this.#clock = new FleetClock(deps.nowMs);
    const [clock, timers] = [this.#clock, this.#timers];
    this.#readings = new ReadingSource({ ...deps, clock, timers });
  }

  /** Connects after a while. */
  start(delayMs: number): void {
    this.#timers.after(delayMs, () => void this.#comeUp());
  }

  /**
   * Connects, and hands over what it would have measured since a time. Resolves when the server has
   * all of it; the readings carry their own times, by which the server marks them as late.
   */
  async handOver(timesMs: readonly number[]): Promise<void> {
    const device = this.#connect();
    if (device === undefined) return;
    await this.#readings.handOver(device, timesMs);
    await this.#goDown();
  }

  /** Disconnects for good. */
  async stop(): Promise<void> {
    this.#timers.stop();
    this.#stopping.abort();
    await this.#goDown();
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #comeUp(awaySinceMs?: number): Promise<void> {
    const device = this.#connect();
    if (device === undefined) return;
    if (awaySinceMs !== undefined) {
      await this.#readings.handOver(device, this.#missedSince(awaySinceMs));
    }
    if (this.#device !== device) return;
    device.onCommand((command) => this.#obey(command));
    this.#tellState();
    this.#scheduleReport();
    const { random, misdeed, hasOutages } = this.#deps;
    this.#readings.start(device, random.fraction());
    if (misdeed !== undefined) this.#scheduleMisdeed();
    else if (hasOutages) this.#scheduleOutage();
  }

  #connect(): Device | undefined {
    if (this.#isStopped) return undefined;
    const { connect, id, load, counts, random } = this.#deps;
    try {
      const clock = this.#clock;
      const device = connect({
        bundle: load(),
        clock,
        buffer: false,
        random: () => random.fraction(),
      });
      device.onStatus((status) => this.#note(device, status));
      this.#device = device;
      return device;
    } catch (error) {
      counts.troubles.set(id, textOf(error));
      return undefined;
    }
  }

  #note(device: Device, status: DeviceStatus): void {
    if (this.#device !== device) return;
    const { counts, id } = this.#deps;
    this.#setOnline(status.state === 'online');
    if (status.state === 'offline') counts.troubles.set(id, status.error.message);
  }

  #setOnline(isOnline: boolean): void {
    const { counts, id } = this.#deps;
    if (isOnline === this.#isOnline) return;
    this.#isOnline = isOnline;
    counts.connected += isOnline ? 1 : -1;
    if (isOnline) counts.troubles.delete(id);
  }

  async #goDown(): Promise<void> {
    const device = this.#device;
    this.#device = undefined;
    this.#timers.clear();
    this.#setOnline(false);
    await device?.close();
  }

  #missedSince(awaySinceMs: number): number[] {
    const { nowMs, periodMs, lateMaxMs } = this.#deps;
    const toMs = nowMs();
    const fromMs = Math.max(awaySinceMs, toMs - Math.max(FRESH_MS, lateMaxMs));
    return timesBetween(fromMs, toMs, { periodMs, countMax: KEPT_READINGS_MAX });
  }

  #tellState(): void {
    const { firmware, thing, nowMs } = this.#deps;
    // What it is set to follows from the hour.
    thing.measure(nowMs());
    const device = this.#device;
    const state = { firmware, model: 'simulated', ...thing.settings };
    if (device !== undefined) this.#readings.tell(device, state, 'state');
  }

  /** Once, and not all of them at once: each report is a connection of its own. */
  #scheduleReport(): void {
    if (this.#hasReported) return;
    const { random, load, firmware } = this.#deps;
    this.#timers.after(random.fraction() * REPORTS_WITHIN_MS, () => {
      this.#hasReported = true;
      reportFirmware(load(), { release: firmware, state: 'confirmed' }).catch((error: unknown) =>
        this.#deps.counts.troubles.set(this.#deps.id, textOf(error)),
      );
    });
  }

  async #obey({ name, body, ctr }: Command): Promise<void> {
    const { thing, counts, random } = this.#deps;
    // A device has to do something before it can say that it is done.
    await delay(random.between(50, 400));
    const answer = thing.obey(name, body);
    counts.commands += 1;
    const device = this.#device;
    if (device === undefined) return;
    this.#readings.tell(device, { command: ctr, ...answer }, `ack/${name}`);
    if (answer.ok) this.#tellState();
  }

  #scheduleOutage(): void {
    const { random, counts, nowMs } = this.#deps;
    const { inMs, lengthMs } = nextOutage(random);
    const goAway = async (): Promise<void> => {
      const awaySinceMs = nowMs();
      await this.#goDown();
      this.#timers.after(lengthMs, () => {
        counts.reconnects += 1;
        void this.#comeUp(awaySinceMs);
      });
    };
    this.#timers.after(inMs, () => void goAway());
  }

  #scheduleMisdeed(): void {
    const { random } = this.#deps;
    const { min, max } = this.#hasMisbehaved ? MISDEED_PAUSE_MS : FIRST_MISDEED_MS;
    const inMs = random.between(min, max);
    this.#hasMisbehaved = true;
    this.#timers.after(inMs, () => void this.#misbehave());
  }

  async #misbehave(): Promise<void> {
    const { id, load, thing, nowMs, victim, misdeed, counts } = this.#deps;
    if (misdeed === undefined) return;
    await this.#goDown();
    if (this.#isStopped) return;
    const measure = () => thing.measure(nowMs());
    try {
      const { signal } = this.#stopping;
      await misbehave(misdeed, { bundle: load(), victim, measure, nowMs, signal });
    } catch (error) {
      const text = `It ${MISDEED_TEXTS[misdeed]}, which failed: ${textOf(error)}`;
      counts.troubles.set(id, text);
    }
    await this.#comeUp();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
