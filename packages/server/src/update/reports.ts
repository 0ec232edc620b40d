/** What devices tell of their updates: the last of it is kept, its steps too; all is heard. @module */
import { UPDATE_STATES, type UpdateReport } from '@holdfast/firmware';
import type { DeviceId } from '@holdfast/protocol';
import { z } from 'zod';
import type { Clock, Log } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import type { DeviceColumns } from '../registry/index.ts';
import type { UpdateReports } from './ports.ts';
import { type UpdateStep, UpdateSteps } from './update-steps.ts';

const DeviceUpdateSchema = z.object({
  device: z.string(),
  /** Of which release: `<line>@<version>`. */
  release: z.string(),
  state: z.enum(UPDATE_STATES),
  /** When it came into this state, in milliseconds since 1970. */
  sinceMs: z.int(),
  /** When it reported last. */
  reportedMs: z.int(),
  /** What it runs: SHA-256 of the image; what it said of it last. */
  running: z.string().optional(),
  hardware: z.string().optional(),
  counter: z.int().optional(),
  why: z.string().optional(),
});
/** How the update of a device stands, as the device told. */
export type DeviceUpdate = Readonly<z.infer<typeof DeviceUpdateSchema>>;

/** What it says that it runs: an image by its SHA-256, or else a release; empty: not known. */
export function toldToRun({ running, state, release }: DeviceUpdate): string {
  return running ?? (state === 'confirmed' ? release : '');
}

/** What the reports need. */
export interface DeviceReportsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<SealedStore, 'collection' | 'transaction'>;
  /** Where people look through the fleet by what it runs; left out where nobody does. */
  readonly columns?: Pick<DeviceColumns, 'noteRunning'>;
}

type Listener = Parameters<UpdateReports['onReport']>[0];

/** The reports of all devices: in memory, written through. */
export class DeviceReports implements UpdateReports {
  readonly #deps: DeviceReportsDeps;
  readonly #records: Collection<DeviceUpdate>;
  readonly #steps: UpdateSteps;
  readonly #byDevice = new Map<string, DeviceUpdate>();
  readonly #listeners = new Set<Listener>();

  constructor(deps: DeviceReportsDeps) {
    this.#deps = deps;
    this.#records = deps.store.collection('device-update', DeviceUpdateSchema);
    this.#steps = new UpdateSteps(deps.store);
    for (const record of this.#records.all()) this.#keep(record);
  }

  take(device: DeviceId, report: UpdateReport): Promise<void> {
    const before = this.#byDevice.get(device);
    const reportedMs = this.#deps.clock.nowMs();
    const { running = before?.running, hardware = before?.hardware } = report;
    const { counter = before?.counter } = report;
    // What a device is says nothing of how its last update ended.
    const { release, state, why } = report.release === '' && before !== undefined ? before : report;
    const isSame = before?.state === state && before.release === release;
    const record: DeviceUpdate = {
      device,
      release,
      state,
      sinceMs: isSame ? before.sinceMs : reportedMs,
      reportedMs,
      ...(running !== undefined && { running }),
      ...(hardware !== undefined && { hardware }),
      ...(counter !== undefined && { counter }),
      ...(why !== undefined && { why }),
    };
    const isNews = release !== '' && (!isSame || before.why !== why);
    this.#deps.store.transaction(() => {
      this.#records.write(device, record);
      if (!isNews) return;
      const step = { atMs: reportedMs, release, state, ...(why !== undefined && { why }) };
      this.#steps.add(device, step);
    });
    this.#keep(record);
    for (const listener of this.#listeners) this.#tell(listener, device, report);
    return Promise.resolve();
  }

  onReport(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a device told last; undefined when it never did. */
  of(device: string): DeviceUpdate | undefined {
    return this.#byDevice.get(device);
  }

  /** The last states that a device came into, oldest first. */
  stepsOf(device: string): readonly UpdateStep[] {
    return this.#steps.of(device);
  }

  all(): Iterable<DeviceUpdate> {
    return this.#byDevice.values();
  }

  /** Forgets a device. */
  forget(device: string): void {
    this.#deps.store.transaction(() => {
      this.#records.remove(device);
      this.#steps.forget(device);
    });
    this.#byDevice.delete(device);
    this.#deps.columns?.noteRunning(device, '');
  }

  #keep(record: DeviceUpdate): void {
    this.#byDevice.set(record.device, record);
    this.#deps.columns?.noteRunning(record.device, toldToRun(record));
  }

  /** The report is durable by now: who hears of it can fail, and the device is told all the same. */
  #tell(listener: Listener, device: DeviceId, report: UpdateReport): void {
    try {
      listener(device, report);
    } catch (error) {
      const event = { 'event.action': 'update.report', 'event.outcome': 'failure' };
      const facts = { 'device.id': device, 'error.message': String(error) };
      this.#deps.log.error({ ...event, ...facts }, 'a report was not heard');
    }
  }
}
