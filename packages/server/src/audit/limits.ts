/** The bounds of the log. @module */

/**
 * Bytes of a segment from which it is compressed: about ten messages. Each compression costs 15 µs
 * before its first byte, and what one or two messages would save is less than a tenth.
 */
export const COMPRESSED_BYTES_MIN = 2_048;

/**
 * Bytes of a segment above which it is stored as it is, and that none may become when it is read:
 * four times what waits for the disk before publishers are paused.
 */
export const COMPRESSED_BYTES_MAX = 64 * 1_024 * 1_024;

/** Segments that are opened together: at most 2 MiB of memory, and a batch has some hundreds. */
export const SEGMENTS_TOGETHER_MAX = 64;

/**
 * Bytes above which a segment is decompressed for itself: what a decompression costs before its
 * first byte is a small part of it then.
 */
export const TOGETHER_BYTES_MAX = 32 * 1_024;

/**
 * Data keys that the audit thread asks the main thread for at a time: opening one takes 10 µs, in
 * a token up to some milliseconds, and messages wait meanwhile.
 */
export const KEYS_ASKED_MAX = 32;

/** From one report of progress of a verification to the next, in milliseconds. */
export const PROGRESS_INTERVAL_MS = 250;

/** Acts about the device in one bundle of evidence, the newest before the reading. */
export const EVIDENCE_ACTS_MAX = 256;

/** Witnesses of one log: a few are enough, and each one costs a check of each cosignature. */
export const WITNESSES_MAX = 16;

/** How far the clock of a witness may be ahead: five minutes, as for other tokens with a time. */
export const WITNESS_CLOCK_AHEAD_MS_MAX = 300_000;
