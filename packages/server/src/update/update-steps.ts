/** What devices told of their updates, step by step: the last of them are kept. @module */
import { UPDATE_STATES } from '@holdfast/firmware';
import { z } from 'zod';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { UPDATE_STEPS_KEPT_MAX } from './limits.ts';

const UpdateStepSchema = z.object({
  /** When it was heard, in milliseconds since 1970. */
  atMs: z.int(),
  /** Of which release: `<line>@<version>`. */
  release: z.string(),
  state: z.enum(UPDATE_STATES),
  why: z.string().optional(),
});
/** A state that a device came into, as it told. */
export type UpdateStep = Readonly<z.infer<typeof UpdateStepSchema>>;

const StepsSchema = z.array(UpdateStepSchema);

/** The steps of all devices: on the disk alone, as few are ever looked at. */
export class UpdateSteps {
  readonly #records: Collection<z.infer<typeof StepsSchema>>;

  constructor(store: Pick<SealedStore, 'collection'>) {
    this.#records = store.collection('device-update-steps', StepsSchema);
  }

  /** Oldest first. */
  of(device: string): readonly UpdateStep[] {
    return this.#records.read(device) ?? [];
  }

  /** Keeps a step. A reason that comes after its state takes the place of the one before. */
  add(device: string, step: UpdateStep): void {
    const known = this.of(device);
    const last = known.at(-1);
    const isSame = last?.release === step.release && last.state === step.state;
    const steps = isSame
      ? [...known.slice(0, -1), { ...step, atMs: last.atMs }]
      : [...known, step].slice(-UPDATE_STEPS_KEPT_MAX);
    this.#records.write(device, steps);
  }

  /** Forgets a device. */
  forget(device: string): void {
    this.#records.remove(device);
  }
}
