/** The last steps of one length: a bounded ring. @module */
import { type FigureSample, type FigureStep, joined } from './figure-step.ts';

/** How many steps of which length. */
export interface RingShape {
  readonly spanMs: number;
  readonly stepMs: number;
}

/** Steps by their number; the one that comes after the last takes the place of the first. */
export class FigureRing {
  readonly stepMs: number;
  /** Steps of the whole span. */
  readonly size: number;
  readonly #steps: (FigureStep | undefined)[];

  constructor({ spanMs, stepMs }: RingShape) {
    this.stepMs = stepMs;
    this.size = spanMs / stepMs;
    this.#steps = Array.from({ length: this.size });
  }

  /** Adds what was counted to the step of its time. @returns the number of that step. */
  add(atMs: number, sample: FigureSample): number {
    const number = Math.max(0, Math.floor(atMs / this.stepMs));
    this.put(joined(this.at(number) ?? nothing(number), sample));
    return number;
  }

  /** Puts a step where it belongs. One of another time that stood there is gone. */
  put(step: FigureStep): void {
    this.#steps[step.number % this.size] = step;
  }

  /** Undefined: nobody was looking then. */
  at(number: number): FigureStep | undefined {
    const step = this.#steps[number % this.size];
    return step?.number === number ? step : undefined;
  }

  /** The whole span that ends with the step of this time, oldest first. */
  until(nowMs: number): { readonly number: number; readonly step: FigureStep | undefined }[] {
    const last = Math.floor(nowMs / this.stepMs);
    const first = Math.max(0, last - this.size + 1);
    return Array.from({ length: last - first + 1 }, (_, at) => {
      const number = first + at;
      return { number, step: this.at(number) };
    });
  }
}

function nothing(number: number): FigureStep {
  return { number, ms: 0, accepted: 0, refused: {}, connectionMs: 0 };
}
