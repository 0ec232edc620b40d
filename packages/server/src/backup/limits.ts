/** The bounds of backups. @module */

/**
 * Bytes of a chunk, before it is sealed. Small enough for one request to an object store, large
 * enough that a year of readings has thousands of them and not millions.
 */
export const CHUNK_BYTES_MIN = 1_024 * 1_024;
export const CHUNK_BYTES_MAX = 4 * 1_024 * 1_024;

/** Bytes after which a chunk ends on average, once it has its least size. */
export const CHUNK_BYTES_TYPICAL = 2 * 1_024 * 1_024;

/** Chunks on their way to the destination at a time: 16 MiB of memory at most. */
export const CHUNKS_IN_FLIGHT_MAX = 4;

/** How long the server holds still, at most, while a snapshot begins; mostly it is under 1 ms. */
export const HOLD_MS_MAX = 500;

/** How often it holds still for one backup, when the thread did not begin in that time. */
export const HOLDS_MAX = 5;

/** How long the thread of a backup may take to start: on a busy machine, to load its modules. */
export const THREAD_START_MS_MAX = 60_000;

/** How often it is looked whether a backup is due, and keys are to be brought to a destination. */
export const TICK_MS = 60_000;

/** How often it is looked whether older keys were put back at a destination: a small read each. */
export const KEYS_CHECK_MS = 3_600_000;

/** How long an erasure waits for the destinations; what it has not reached by then is tried again. */
export const BRING_WAIT_MS_MAX = 10_000;

/** How long a stop waits for a backup to end; the next one goes on where it was. */
export const STOP_WAIT_MS_MAX = 2_000;

/** Destinations that are remembered: each one is written by every erasure. */
export const DESTINATIONS_MAX = 16;

/** How long an erasure waits for readers to let go of the write-ahead log, before it goes on. */
export const SCRUB_WAIT_MS_MAX = 10_000;

/** How often it tries meanwhile. */
export const SCRUB_RETRY_MS = 50;
