/** What a simulated device is beside its connection: what it measures, and how it answers. @module */
import type { SeededRandom } from './seeded-random.ts';

/** What it says of a command. */
export interface CommandAnswer {
  readonly ok: boolean;
  /** Why not. */
  readonly error?: string;
}

/** Measures, and does what it is told. */
export interface Thing {
  /** What it measures at a time; times only rise. */
  measure(timeMs: number): Readonly<Record<string, number>>;
  /** What it is set to; published when it changes. */
  readonly settings: Readonly<Record<string, number | string>>;
  obey(name: string, body: Readonly<Record<string, unknown>>): CommandAnswer;
}

/** In which time zone it stands, and what makes it different from others of its kind. */
export interface ThingOptions {
  readonly random: SeededRandom;
  /** How far its zone is ahead of UTC, in milliseconds. */
  readonly zoneOffsetMs: number;
}
