/** An electricity meter of a household: power, energy and voltage. @module */
import { Wander, activity, hourOfDay, rounded } from './rhythm.ts';
import type { CommandAnswer, Thing, ThingOptions } from './thing.ts';

/** See {@link Thing}. It takes no command but `identify`. */
export class Meter implements Thing {
  readonly settings: Readonly<Record<string, number>> = {};
  readonly #zoneOffsetMs: number;
  readonly #baseWatts: number;
  readonly #peakWatts: number;
  readonly #load: Wander;
  readonly #grid: Wander;
  #kilowattHours: number;
  #timeMs: number | undefined;

  constructor({ random, zoneOffsetMs }: ThingOptions) {
    this.#zoneOffsetMs = zoneOffsetMs;
    this.#baseWatts = random.between(60, 180);
    this.#peakWatts = random.between(900, 2_600);
    this.#kilowattHours = random.between(200, 24_000);
    this.#load = new Wander(random, { deviation: 0.35, memoryMs: 8 * 60_000 });
    this.#grid = new Wander(random, { deviation: 1.6, memoryMs: 5 * 60_000 });
  }

  measure(timeMs: number): Readonly<Record<string, number>> {
    const elapsedMs = timeMs - (this.#timeMs ?? timeMs);
    this.#timeMs = timeMs;
    const busy = activity(hourOfDay(timeMs, this.#zoneOffsetMs));
    const share = Math.max(0, busy * (1 + this.#load.after(elapsedMs)));
    const watts = this.#baseWatts + this.#peakWatts * share;
    this.#kilowattHours += (watts * elapsedMs) / 3.6e9;
    return {
      power: rounded(watts, 0),
      energy: rounded(this.#kilowattHours, 3),
      voltage: rounded(231 - share * 2 + this.#grid.after(elapsedMs), 1),
    };
  }

  obey(name: string): CommandAnswer {
    if (name === 'identify') return { ok: true };
    return { ok: false, error: `${name} is no command of a meter; identify is one` };
  }
}
