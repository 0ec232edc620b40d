/** The bounds of keys. @module */

/**
 * Sealings under one key before sealing throws: half of what NIST SP 800-38D §8.3 allows with
 * random nonces.
 */
export const KEY_SEALINGS_MAX = 2 ** 31;

/** Sealings after which a key that can be replaced is: an eighth, so that nothing ever throws. */
export const KEY_SEALINGS_RENEW = 2 ** 28;

/**
 * Bytes under one key before sealing throws: 2^36 blocks, at which AES-GCM can be told from chance
 * with a probability of 2^-57, as RFC 8446 §5.5 has it for TLS.
 */
export const KEY_BYTES_MAX = 2 ** 40;

/** Bytes after which a key that can be replaced is. */
export const KEY_BYTES_RENEW = 2 ** 36;

/**
 * Age at which a key in use is replaced: a key that became known tells of three months, and a
 * device that sends for ten years has 40 keys to read by. NIST SP 800-57 part 1 allows two years.
 */
export const KEY_AGE_RENEW_MS = 90 * 86_400_000;

/** Sealings that count as used up by each start for each key, without being written for each. */
export const KEY_SEALINGS_PER_START = 4_096;

/** The same in bytes. */
export const KEY_BYTES_PER_START = 64 * 1_024 * 1_024;

/** Sealings that are counted ahead in one write; a crash costs the rest of them. */
export const KEY_SEALINGS_AHEAD = 2 ** 20;

/** The same in bytes. */
export const KEY_BYTES_AHEAD = 2 ** 32;

/** Keys wrapped again, or records sealed again, in one transaction: a few ms of the main thread. */
export const REWRAP_MAX = 128;

/** Milliseconds after which such a transaction ends early: tokens take long for each key. */
export const REWRAP_MS_MAX = 10;
