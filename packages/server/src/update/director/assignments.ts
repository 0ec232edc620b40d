/** What each device is to run: kept for good. @module */
import type { Release } from '@holdfast/firmware';
import { z } from 'zod';
import type { Collection, SealedStore } from '../../persistence/index.ts';

const AssignmentSchema = z.object({
  device: z.string(),
  /** `<line>@<version>`. */
  release: z.string(),
  /** The artifact that was meant. */
  sha256: z.string(),
  sinceMs: z.int(),
  /** Principal. */
  by: z.string(),
});
/** What a device is to run, since when, and by whose act. */
export type Assignment = Readonly<z.infer<typeof AssignmentSchema>>;

/** A change of one device; no release: it is told to change nothing. */
export interface AssignmentChange {
  readonly device: string;
  readonly release: Release | undefined;
}

/** The assignments of all devices: in memory, written through. */
export class Assignments {
  readonly #store: Pick<SealedStore, 'transaction'>;
  readonly #records: Collection<Assignment>;
  readonly #byDevice = new Map<string, Assignment>();

  constructor(store: Pick<SealedStore, 'collection' | 'transaction'>) {
    this.#store = store;
    this.#records = store.collection('update-assignment', AssignmentSchema);
    for (const record of this.#records.all()) this.#byDevice.set(record.device, record);
  }

  of(device: string): Assignment | undefined {
    return this.#byDevice.get(device);
  }

  all(): Iterable<Assignment> {
    return this.#byDevice.values();
  }

  /** Makes changes, all in one transaction. */
  change(changes: readonly AssignmentChange[], { atMs, by }: { atMs: number; by: string }): void {
    const made = changes.map(({ device, release }) => ({
      device,
      assignment: release && {
        device,
        release: release.id,
        sha256: release.sha256,
        sinceMs: atMs,
        by,
      },
    }));
    this.#store.transaction(() => {
      for (const { device, assignment } of made) {
        if (assignment === undefined) this.#records.remove(device);
        else this.#records.write(device, assignment);
      }
    });
    for (const { device, assignment } of made) {
      if (assignment === undefined) this.#byDevice.delete(device);
      else this.#byDevice.set(device, assignment);
    }
  }
}
