/** The bounds of the director. @module */

/** Life of what the director says to a device, in milliseconds. */
export const ANSWER_LIFE_MS = 86_400_000;

/** Age at which it is signed again for a device that asks, in milliseconds. */
export const ANSWER_RENEW_MS = 21_600_000;

/** Devices whose answers are remembered, 5 kB each: those beyond cost three signatures again. */
export const ANSWERS_REMEMBERED_MAX = 4_096;
