/** A sensor of temperature, humidity and air on a wall, with a battery. @module */
import { Wander, activity, hourOfDay, outdoorCelsius, rounded } from './rhythm.ts';
import type { CommandAnswer, Thing, ThingOptions } from './thing.ts';

/** See {@link Thing}. It takes no command but `identify`. */
export class RoomSensor implements Thing {
  readonly settings: Readonly<Record<string, number>> = {};
  readonly #zoneOffsetMs: number;
  readonly #warmth: number;
  readonly #people: number;
  readonly #heat: Wander;
  readonly #damp: Wander;
  readonly #air: Wander;
  #battery: number;
  #timeMs: number | undefined;

  constructor({ random, zoneOffsetMs }: ThingOptions) {
    this.#zoneOffsetMs = zoneOffsetMs;
    this.#warmth = random.between(18.5, 21.5);
    this.#people = random.between(0.3, 1.4);
    this.#battery = random.between(40, 100);
    this.#heat = new Wander(random, { deviation: 0.4, memoryMs: 40 * 60_000 });
    this.#damp = new Wander(random, { deviation: 4, memoryMs: 3 * 3_600_000 });
    this.#air = new Wander(random, { deviation: 60, memoryMs: 15 * 60_000 });
  }

  measure(timeMs: number): Readonly<Record<string, number>> {
    const elapsedMs = timeMs - (this.#timeMs ?? timeMs);
    this.#timeMs = timeMs;
    const hour = hourOfDay(timeMs, this.#zoneOffsetMs);
    const busy = activity(hour) * this.#people;
    const weather = (outdoorCelsius(hour) - 7) * 0.15;
    // A set of cells lasts for three years.
    this.#battery = Math.max(4, this.#battery - elapsedMs / 9.5e8);
    const humidity = 45 + 8 * busy + this.#damp.after(elapsedMs);
    return {
      temperature: rounded(this.#warmth + busy + weather + this.#heat.after(elapsedMs), 2),
      humidity: rounded(Math.min(95, Math.max(15, humidity)), 1),
      co2: rounded(Math.max(405, 450 + 550 * busy + this.#air.after(elapsedMs)), 0),
      battery: rounded(this.#battery, 1),
    };
  }

  obey(name: string): CommandAnswer {
    if (name === 'identify') return { ok: true };
    return { ok: false, error: `${name} is no command of a sensor; identify is one` };
  }
}
