/** The rhythm of a day in a house, as pure functions of the hour, and values that wander. @module */
import type { SeededRandom } from './seeded-random.ts';

const HOUR_MS = 3_600_000;

/** Hour of the day, 0 up to 24, in a zone that is `offsetMs` ahead of UTC. */
export function hourOfDay(timeMs: number, offsetMs: number): number {
  const hours = ((timeMs + offsetMs) / HOUR_MS) % 24;
  return hours < 0 ? hours + 24 : hours;
}

/** Degrees Celsius outside: coldest at five in the morning, warmest at three in the afternoon. */
export function outdoorCelsius(hour: number): number {
  // Two halves of a cosine, as a day warms up faster than it cools down.
  const sinceLow = (hour - 5 + 24) % 24;
  const phase = sinceLow < 10 ? sinceLow / 10 : 1 + (sinceLow - 10) / 14;
  return 7 - 4 * Math.cos(phase * Math.PI);
}

/** How much goes on in a house, 0 to 1: a peak in the morning, a longer one in the evening. */
export function activity(hour: number): number {
  return Math.min(1, 0.06 + 0.75 * peak(hour, 7.5, 1.2) + 0.94 * peak(hour, 19.5, 2.4));
}

/** What a thermostat is set to by its program: warm in the morning and in the evening. */
export function programmedCelsius(hour: number): number {
  if (hour >= 6 && hour < 9) return 21;
  if (hour >= 16 && hour < 22.5) return 21.5;
  return hour >= 9 && hour < 16 ? 19 : 17;
}

/** A value that wanders around zero, and is drawn back to it (Ornstein-Uhlenbeck). */
export class Wander {
  readonly #random: SeededRandom;
  readonly #deviation: number;
  readonly #memoryMs: number;
  #value: number;

  /** @param memoryMs - how long it takes to forget where it was */
  constructor(random: SeededRandom, { deviation, memoryMs }: WanderOptions) {
    this.#random = random;
    this.#deviation = deviation;
    this.#memoryMs = memoryMs;
    this.#value = random.normal() * deviation;
  }

  /** Its value after `elapsedMs` more; the same whether in one step or in many, on average. */
  after(elapsedMs: number): number {
    const kept = Math.exp(-elapsedMs / this.#memoryMs);
    const spread = this.#deviation * Math.sqrt(1 - kept * kept);
    this.#value = this.#value * kept + this.#random.normal() * spread;
    return this.#value;
  }
}

/** How a value wanders. */
export interface WanderOptions {
  readonly deviation: number;
  readonly memoryMs: number;
}

/** Rounds to a number of decimals, as the display of a cheap instrument does. */
export function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/** 1 at the middle of a bell over the hours of a day, which goes round. */
function peak(hour: number, middle: number, width: number): number {
  const away = Math.abs(hour - middle);
  const distance = Math.min(away, 24 - away) / width;
  return Math.exp(-0.5 * distance * distance);
}
