/** Figures on the disk: a few records that are written again and again. @module */
import { FIGURE_SPANS, FIGURE_SPAN_NAMES, type FigureSpan } from '@holdfast/protocol/api';
import { z } from 'zod';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import type { FigureRing } from './figure-ring.ts';
import { FigureStepSchema } from './figure-step.ts';
import { STEPS_OF_RECORD } from './limits.ts';

const RecordSchema = z.strictObject({
  span: z.enum(FIGURE_SPAN_NAMES),
  steps: z.array(FigureStepSchema).max(STEPS_OF_RECORD),
});

/** The rings of all spans. */
export type FigureRings = Readonly<Record<FigureSpan, FigureRing>>;

/** Keeps the rings; a record holds neighboring steps, and takes the place of an older one. */
export class FigureRecords {
  readonly #store: Pick<SealedStore, 'transaction'>;
  readonly #records: Collection<z.infer<typeof RecordSchema>>;
  /** Records with steps that are not on the disk. */
  readonly #dirty = new Map<string, { readonly span: FigureSpan; readonly record: number }>();

  constructor(store: Pick<SealedStore, 'collection' | 'transaction'>) {
    this.#store = store;
    // Not counted: a write each minute is no change of the registry that the log has to name.
    this.#records = store.collection('figures', RecordSchema, { isCounted: false });
  }

  /** Puts back what is on the disk and no older than its span. */
  load(rings: FigureRings, nowMs: number): void {
    for (const { span, steps } of this.#records.all()) {
      const ring = rings[span];
      const last = Math.floor(nowMs / ring.stepMs);
      for (const step of steps) {
        if (step.number <= last && step.number > last - ring.size) ring.put(step);
      }
    }
  }

  /** Notes that a step has changed. */
  note(span: FigureSpan, number: number): void {
    const record = Math.floor(number / STEPS_OF_RECORD);
    this.#dirty.set(idOf(span, record), { span, record });
  }

  /** Writes what has changed, in one transaction. What fails is tried again the next time. */
  write(rings: FigureRings): void {
    if (this.#dirty.size === 0) return;
    this.#store.transaction(() => {
      for (const [id, { span, record }] of this.#dirty) {
        this.#records.write(id, { span, steps: stepsOf(rings[span], record) });
      }
    });
    this.#dirty.clear();
  }
}

/** Records go around like the ring, with one more for the part that is written anew. */
function idOf(span: FigureSpan, record: number): string {
  const { spanMs, stepMs } = FIGURE_SPANS[span];
  const count = Math.ceil(spanMs / stepMs / STEPS_OF_RECORD) + 1;
  return `${span}/${record % count}`;
}

function stepsOf(ring: FigureRing, record: number): z.infer<typeof RecordSchema>['steps'] {
  const first = record * STEPS_OF_RECORD;
  return Array.from({ length: STEPS_OF_RECORD }, (_, at) => ring.at(first + at)).filter(
    (step) => step !== undefined,
  );
}
