/** The bounds of the certificate for the public name, each with its unit and its reason. @module */

/** Part of its life after which a certificate is renewed: a third is left for what goes wrong. */
export const ACME_RENEWAL_FRACTION = 2 / 3;

/** Longest time between two looks at the clock, in milliseconds: it may be set meanwhile. */
export const ACME_CHECK_MS_MAX = 3_600_000;

/**
 * Pause after a first failed order, in milliseconds; each failure doubles it. Five orders fall into
 * the first hour, which is what Let's Encrypt allows to fail.
 */
export const ACME_RETRY_FIRST_MS = 120_000;

/** Longest such pause, in milliseconds: twice a day for as long as it takes. */
export const ACME_RETRY_MS_MAX = 12 * 3_600_000;

/** Part by which a pause may be longer, so that servers which failed together spread out. */
export const ACME_RETRY_JITTER = 0.25;

/** Time for one answer of the authority, in milliseconds. */
export const ACME_ANSWER_MS_MAX = 30_000;

/** Largest answer of the authority, in bytes: a chain takes some kilobytes. */
export const ACME_ANSWER_BYTES_MAX = 262_144;

/** Looks at an order or a challenge before it counts as failed: two minutes in all. */
export const ACME_POLLS_MAX = 15;

/** First and longest pause between two such looks, in milliseconds. */
export const ACME_POLL_MS = { min: 1_000, max: 10_000 } as const;

/** Requests made again on the spot, and the pause before, in seconds; the library's own names. */
export const ACME_REQUEST_RETRY = { retryMaxAttempts: 1, retryDefaultDelay: 2 } as const;
