/** Shows how a simulation stands, until it ends. @module */
import { paintFor } from '../paint.ts';
import { jsonLine } from '../printable.ts';
import { drawingOn } from '../watch.ts';
import type { World } from '../world.ts';
import type { FleetCounts } from './fleet-counts.ts';
import { LINE_MS, SCREEN_MS } from './limits.ts';
import type { RefusalTally } from './refusal-tally.ts';
import { type Figures, type ScreenFacts, figuresJson, lineText, screenText } from './screen.ts';

/** Readings a second are those of so many milliseconds. */
const RATE_WINDOW_MS = 10_000;

/** What is shown. */
export interface Shown {
  readonly counts: FleetCounts;
  readonly tally: RefusalTally;
  readonly devices: number;
  readonly facts: ScreenFacts;
  readonly isJson: boolean;
}

/** Shows a simulation again and again. */
export class FleetDisplay {
  readonly #world: World;
  readonly #shown: Shown;
  readonly #startedMs = performance.now();
  readonly #samples: { readonly atMs: number; readonly acknowledged: number }[] = [];
  readonly #draw: (text: string) => void;

  constructor(world: World, shown: Shown) {
    this.#world = world;
    this.#shown = shown;
    this.#draw = drawingOn(world);
  }

  /** Shows it until the signal aborts. */
  async until(signal: AbortSignal): Promise<void> {
    const isScreen = this.#world.stdout.isTty && !this.#shown.isJson;
    const timer = setInterval(() => this.#show(isScreen), isScreen ? SCREEN_MS : LINE_MS);
    this.#sample();
    try {
      if (signal.aborted) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      clearInterval(timer);
    }
  }

  /** The figures now. */
  get figures(): Figures {
    const { counts, tally, devices } = this.#shown;
    const { troubles, ...own } = counts;
    const [trouble] = troubles;
    const last = this.#sample();
    const first = this.#samples[0] ?? last;
    const seconds = (last.atMs - first.atMs) / 1_000;
    const gained = last.acknowledged - first.acknowledged;
    return {
      ...own,
      devices,
      readingsPerSecond: seconds > 0 ? gained / seconds : 0,
      refused: tally.kinds,
      trouble: trouble && { count: troubles.size, example: `${trouble[0]}: ${trouble[1]}` },
      runningMs: last.atMs - this.#startedMs,
    };
  }

  #show(isScreen: boolean): void {
    const { stdout, nowMs } = this.#world;
    const { facts, isJson } = this.#shown;
    const { figures } = this;
    if (isJson) stdout.write(jsonLine(figuresJson(figures, new Date(nowMs()).toISOString())));
    else if (isScreen) this.#draw(screenText(figures, facts, paintFor(stdout)));
    else stdout.write(lineText(figures));
  }

  #sample(): { readonly atMs: number; readonly acknowledged: number } {
    const { acknowledged } = this.#shown.counts;
    const sample = { atMs: performance.now(), acknowledged };
    this.#samples.push(sample);
    // One that is older stays: else there is none to compare with after a long silence.
    while ((this.#samples[1]?.atMs ?? sample.atMs) < sample.atMs - RATE_WINDOW_MS) {
      this.#samples.shift();
    }
    return sample;
  }
}
