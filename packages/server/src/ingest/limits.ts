/** The bounds of what devices send over HTTPS. @module */

/** Largest body of a batch, in bytes. */
export const BATCH_BYTES_MAX = 1_048_576;

/** Messages of one batch: as many as a thing may send at once. */
export const BATCH_LINES_MAX = 1_000;

/** Largest body of a single message, in bytes; what is verified has this bound, too. */
export const SINGLE_BYTES_MAX = 65_536;

/** Requests of one device that are answered at a time: its connections are as many over MQTT. */
export const REQUESTS_PER_DEVICE_MAX = 4;

/** Bytes of bodies that are held for all devices together. */
export const BODIES_BYTES_MAX = 67_108_864;

/** Messages of a batch that are handed on in one turn: about a millisecond of everybody's time. */
export const MESSAGES_PER_TURN = 64;

/**
 * How long a request waits for the disk, in milliseconds, before its device is told to come back:
 * less than the half minute after which usual clients give up.
 */
export const STORE_TIMEOUT_MS = 20_000;

/** After how many seconds a device is to come back when the disk, or this machine, is behind. */
export const RETRY_AFTER_S = 5;

/** Characters of a path that a refusal is recorded with: a peer chooses them. */
export const REPORTED_PATH_CHARACTERS_MAX = 256;
