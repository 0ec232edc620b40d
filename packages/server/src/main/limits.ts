/** The bounds of the whole server. @module */

/**
 * How long a stop waits for the disk to take what is pending. Nothing of it was acknowledged, so
 * peers send it again. Less than the 10 s after which service managers kill what does not end.
 */
export const STOP_TIMEOUT_MS = 8_000;

/** How often a server looks after its own certificate and old records, in milliseconds. */
export const UPKEEP_MS = 3_600_000;
