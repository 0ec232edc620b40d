/** The bounds of the whole server. @module */

/**
 * How long a stop waits for the disk to take what is pending. Nothing of it was acknowledged, so
 * peers send it again. Less than the 10 s after which service managers kill what does not end.
 */
export const STOP_TIMEOUT_MS = 8_000;

/**
 * Free bytes of the disk below which no messages are taken: room for what waits to be stored
 * (16 MiB), twice, as it is written to a log first; and for acts, refusals, the registry, and the
 * removal of old entries, which gives room again.
 */
export const DISK_RESERVE_BYTES = 64 * 1_024 * 1_024;

/**
 * How often registry and log note how far the other has come, if something changed. What was cut off
 * the end of the log before a crash shows unless it was younger; a clean stop leaves no such gap.
 */
export const MARK_INTERVAL_MS = 60_000;

/** How often the time of day is held against the clock that never jumps. */
export const CLOCK_WATCH_INTERVAL_MS = 10_000;

/** How often keys are looked at: far more often than one can wear out. */
export const KEY_CHECK_MS = 60_000;

/** Between two steps of a rotation, which take some ms each: messages come first. */
export const KEY_STEP_PAUSE_MS = 5;

/** Devices that get new data keys in one transaction. */
export const RENEWED_DEVICES_MAX = 50;

/** A larger step of the time of day is put on the log: time synchronization steps by less. */
export const CLOCK_JUMP_MS = 2_000;

/** How often a server looks after its own certificate and old records, in milliseconds. */
export const UPKEEP_MS = 3_600_000;

/**
 * How often devices that stay connected are noted as seen, in milliseconds: after a crash they
 * count as seen that long ago.
 */
export const LAST_SEEN_STEP_MS = 600_000;
