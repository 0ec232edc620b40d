/** The bounds of rollouts. @module */

/** From one look of a running rollout at its clocks, windows and limits to the next. */
export const ROLLOUT_TICK_MS = 1_000;

/** Reports wait this long for others, so that many are one transaction of the registry. */
export const REPORT_BATCH_MS = 20;

/** Devices that are offered a release in one tick: their records are written in between messages. */
export const OFFERS_PER_TICK_MAX = 200;

/** Devices that the director is told of in one transaction: 2 ms between messages. */
export const ASSIGNMENTS_BATCH = 50;

/** Such batches at a time: the next one waits for the log while one is written. */
export const ASSIGNMENTS_AT_ONCE = 4;

/**
 * A soak time does not end before devices were listened to for this long without a gap, which is
 * a restart or a leap of the clock: two polls of every device, and time to report.
 */
export const WATCHED_MS_MIN = 900_000;

/** A clock on the wall that differs by this from the time that has passed was set. */
export const CLOCK_LEAP_MS = 60_000;

/** A tick looks for new devices once in this time: it goes through the whole registry. */
export const JOIN_INTERVAL_MS = 60_000;

/**
 * An offered device that has not begun after this time takes no place among those in progress any
 * more: it is probably switched off, and the others would wait for it.
 */
export const OFFER_FRESH_MS = 3_600_000;

/** Rollouts that are kept, with what became of each device; the oldest that have ended make room. */
export const ROLLOUTS_MAX = 200;

/** Rollouts that have not ended, at a time: each one has its devices in memory. */
export const ACTIVE_ROLLOUTS_MAX = 32;

/** How long an owner can put off an update when the rollout does not say: 14 days. */
export const CONSENT_BOUND_MS = 1_209_600_000;

/** Characters of a reason that a device gave. */
export const REASON_CHARACTERS_MAX = 256;
