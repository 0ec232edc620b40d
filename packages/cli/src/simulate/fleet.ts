/** All simulated devices together: from the first connection to the last goodbye. @module */
import type { connect, loadBundle } from '@holdfast/device';
import { atATime } from './at-a-time.ts';
import { FleetCounts } from './fleet-counts.ts';
import { KINDS } from './kinds.ts';
import { BACKFILLING_AT_A_TIME, BACKFILL_READINGS_MAX, CONNECTS_PER_SECOND } from './limits.ts';
import { timesBetween } from './outages.ts';
import { type PlannedDevice } from './plan.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedDevice, type SimulatedDeviceDeps } from './simulated-device.ts';
import type { SimulationFolder } from './simulation-folder.ts';

/** What a fleet is made of. */
export interface FleetOptions extends Pick<
  SimulatedDeviceDeps,
  'nowMs' | 'periodMs' | 'lateMaxMs' | 'hasOutages'
> {
  readonly sdk: { readonly connect: typeof connect; readonly loadBundle: typeof loadBundle };
  readonly folder: SimulationFolder;
  readonly devices: readonly PlannedDevice[];
  readonly seed: string;
  readonly zoneOffsetMs: number;
}

/** Most of a fleet runs the newest firmware, and some of it never does. */
const FIRMWARE = ['2.4.1', '2.4.1', '2.4.1', '2.4.1', '2.4.0', '2.3.7'] as const;

/** A simulated fleet. */
export class Fleet {
  readonly counts = new FleetCounts();
  readonly #options: FleetOptions;
  readonly #devices: ReadonlyMap<string, SimulatedDevice>;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { devices } = options;
    this.#devices = new Map(devices.map((plan, at) => [plan.id, this.#make(plan, at)]));
  }

  /**
   * Hands over the history of some devices, as if they had kept it during an outage.
   * @param onDone - called for each device whose history is there
   */
  async backfill(
    ids: readonly string[],
    { spanMs, onDone }: { readonly spanMs: number; readonly onDone: () => void },
  ): Promise<void> {
    const toMs = this.#options.nowMs();
    const { periodMs } = this.#options;
    const bounds = { periodMs, countMax: BACKFILL_READINGS_MAX };
    await atATime(ids, BACKFILLING_AT_A_TIME, async (id) => {
      await this.#devices.get(id)?.handOver(timesBetween(toMs - spanMs, toMs, bounds));
      onDone();
    });
  }

  /** Connects all devices, one after the other. */
  start(): void {
    let delayMs = 0;
    for (const device of this.#devices.values()) {
      device.start(delayMs);
      delayMs += 1_000 / CONNECTS_PER_SECOND;
    }
  }

  /** Disconnects all. */
  async stop(): Promise<void> {
    await Promise.all([...this.#devices.values()].map((device) => device.stop()));
  }

  #make({ id, kind, misdeed }: PlannedDevice, at: number): SimulatedDevice {
    const { sdk, folder, seed, zoneOffsetMs, devices, ...rest } = this.#options;
    // Each device has a chance of its own, whatever the others do.
    const random = new SeededRandom(`${seed}/${id}`);
    const thing = KINDS[kind].make({ random, zoneOffsetMs });
    const victim = devices[(at + 1) % devices.length]?.id ?? id;
    return new SimulatedDevice({
      ...rest,
      connect: sdk.connect,
      id,
      load: () => sdk.loadBundle(folder.bundleOf(id)),
      thing,
      firmware: `${kind}@${random.pick(FIRMWARE)}`,
      random,
      counts: this.counts,
      misdeed,
      victim: victim === id ? `${id}0` : victim,
    });
  }
}
