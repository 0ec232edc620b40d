/** The bounds of buckets, each with its unit and its reason. @module */

/** Largest object that is read, in bytes: the keys of a million devices, and no endless answer. */
export const OBJECT_BYTES_MAX = 256 * 1_024 * 1_024;

/**
 * Objects, or versions of one, that are listed at most: 40 TB of chunks, and no endless answer of
 * a store that is not what it seems.
 */
export const LISTED_MAX = 10_000_000;
export const VERSIONS_MAX = 10_000;

/** How long a judgement of a bucket counts, in milliseconds: a day. */
export const JUDGEMENT_LIFE_MS = 86_400_000;

/** How often it is looked whether one has ended, in milliseconds. */
export const JUDGEMENT_TICK_MS = 3_600_000;

/** Buckets whose judgement is remembered; a server has 16 destinations at most. */
export const JUDGEMENTS_MAX = 32;
