/** The bounds of deltas, each with its unit and its reason. @module */

/**
 * Largest image that is made into a delta, or out of one, in bytes. A device holds the old image
 * twice and a window of the new one in memory meanwhile; larger images are sent whole.
 */
export const DELTA_IMAGE_BYTES_MAX = 128 * 1_024 * 1_024;

/**
 * Largest window of a frame, as its binary logarithm: reaches the whole of the largest image, and
 * is the most that any zstd decoder accepts without being told to.
 */
export const DELTA_WINDOW_LOG_MAX = 27;

/** Smallest window of a frame, as its binary logarithm: zstd knows no smaller one. */
export const DELTA_WINDOW_LOG_MIN = 10;
