/** A thermostat with an electric heater: a room that follows its set point, slowly. @module */
import {
  Wander,
  activity,
  hourOfDay,
  outdoorCelsius,
  programmedCelsius,
  rounded,
} from './rhythm.ts';
import type { CommandAnswer, Thing, ThingOptions } from './thing.ts';

/** What a person may set. */
const SET_POINT = { min: 5, max: 30 } as const;
/** How long the room takes to forget its temperature. */
const ROOM_MS = 40 * 60_000;
/** The heater at full power keeps the room so many degrees above the outside. */
const HEATER_CELSIUS = 28;
/** Longest step of the model: the heater is regulated once a minute. */
const STEP_MS = 60_000;
/** After a longer silence the room counts as settled: the model goes this far back, not further. */
const SETTLE_MS = 6 * ROOM_MS;

/** See {@link Thing}. Commands: `set {"target": 21.5}` and `setpoint {"celsius": 21.5}`. */
export class Thermostat implements Thing {
  readonly #zoneOffsetMs: number;
  readonly #heaterWatts: number;
  readonly #taste: number;
  readonly #hoursLate: number;
  readonly #draught: Wander;
  readonly #damp: Wander;
  readonly #people: Wander;
  #battery: number;
  #timeMs: number | undefined;
  #celsius: number;
  #valve = 0.4;
  #program = 0;
  /** What a person has set, until the program changes. */
  #manual: number | undefined;

  constructor({ random, zoneOffsetMs }: ThingOptions) {
    this.#zoneOffsetMs = zoneOffsetMs;
    this.#heaterWatts = random.pick([800, 1_000, 1_500, 2_000]);
    this.#taste = rounded(random.normal() * 0.8, 1);
    this.#hoursLate = random.normal() * 0.5;
    this.#battery = random.between(55, 100);
    this.#draught = new Wander(random, { deviation: 1.2, memoryMs: 20 * 60_000 });
    this.#damp = new Wander(random, { deviation: 4, memoryMs: 3 * 3_600_000 });
    this.#people = new Wander(random, { deviation: 0.25, memoryMs: 12 * 60_000 });
    this.#celsius = 19 + this.#taste;
  }

  get settings(): Readonly<Record<string, number>> {
    return { setpoint: this.#setPoint };
  }

  measure(timeMs: number): Readonly<Record<string, number>> {
    const from = Math.max(this.#timeMs ?? 0, timeMs - SETTLE_MS);
    for (let at = from; at < timeMs;) {
      const next = Math.min(at + STEP_MS, timeMs);
      this.#step(next, next - at);
      at = next;
    }
    const elapsedMs = timeMs - (this.#timeMs ?? timeMs);
    this.#timeMs = timeMs;
    // A set of cells lasts for two years.
    this.#battery = Math.max(4, this.#battery - elapsedMs / 6.3e8);
    const hour = this.#hourAt(timeMs);
    const humidity = 46 + 6 * activity(hour) - (this.#celsius - 20) + this.#damp.after(elapsedMs);
    return {
      // Who walks by, opens a door or cooks is felt by the sensor, and not by the room.
      temperature: rounded(this.#celsius + this.#people.after(elapsedMs), 2),
      humidity: rounded(Math.min(95, Math.max(15, humidity)), 1),
      setpoint: this.#setPoint,
      valve: rounded(this.#valve * 100, 0),
      power: rounded(this.#valve * this.#heaterWatts, 0),
      battery: rounded(this.#battery, 1),
    };
  }

  obey(name: string, body: Readonly<Record<string, unknown>>): CommandAnswer {
    const wanted = COMMANDS.get(name);
    if (wanted === undefined) {
      return { ok: false, error: `${name} is no command of a thermostat; set is one` };
    }
    const celsius = body[wanted];
    const isSound =
      typeof celsius === 'number' && celsius >= SET_POINT.min && celsius <= SET_POINT.max;
    if (!isSound) {
      return {
        ok: false,
        error: `${wanted} is a number from ${SET_POINT.min} to ${SET_POINT.max}`,
      };
    }
    this.#manual = rounded(celsius, 1);
    return { ok: true };
  }

  get #setPoint(): number {
    return this.#manual ?? rounded(this.#program + this.#taste, 1);
  }

  #hourAt(timeMs: number): number {
    return hourOfDay(timeMs, this.#zoneOffsetMs);
  }

  #step(timeMs: number, elapsedMs: number): void {
    const hour = this.#hourAt(timeMs);
    const program = programmedCelsius((hour - this.#hoursLate + 24) % 24);
    if (program !== this.#program && this.#program !== 0) this.#manual = undefined;
    this.#program = program;
    this.#valve = Math.min(1, Math.max(0, 0.5 + (this.#setPoint - this.#celsius) * 0.9));
    const settled =
      outdoorCelsius(hour) + this.#draught.after(elapsedMs) + HEATER_CELSIUS * this.#valve;
    this.#celsius += (settled - this.#celsius) * (1 - Math.exp(-elapsedMs / ROOM_MS));
  }
}

/** Each command, and the member that has its value. */
const COMMANDS: ReadonlyMap<string, string> = new Map([
  ['set', 'target'],
  ['setpoint', 'celsius'],
]);
