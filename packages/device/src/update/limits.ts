/** Every bound of the updater of a device, with its unit and its reason. @module */

/** Time between two looks at how much has come, in milliseconds. */
export const UPDATE_RATE_WINDOW_MS = 60_000;

/** Bytes that have to come in each window: 1 kB a second, as the slowest mobile networks give. */
export const UPDATE_RATE_WINDOW_BYTES = 60_000;

/** Largest body of an answer that is no file, as of a 404, in bytes. */
export const UPDATE_REFUSAL_BYTES_MAX = 65_536;

/** Bytes of an image between two points at which what has come is durable: resumed from there. */
export const UPDATE_CHECKPOINT_BYTES = 4 * 1_024 * 1_024;

/** Cuts of one download that are bridged at once; after more, the agent waits first. */
export const UPDATE_CUTS_MAX = 8;

/** Part of a file that is read at a time to hash it, in bytes. */
export const UPDATE_READ_BYTES = 256 * 1_024;

/** How far the clock may be behind what is known to have passed, in milliseconds. */
export const UPDATE_CLOCK_BEHIND_MS_MAX = 5 * 60_000;

/** How far the clock may be from that of the server before it is blamed, in milliseconds. */
export const UPDATE_CLOCK_OFF_MS_MAX = 3_600_000;

/** Life of a timestamp, in milliseconds: what ends then was signed no longer before than this. */
export const UPDATE_TIMESTAMP_LIFE_MS = 24 * 3_600_000;

/** Largest file of kept metadata, in bytes: all product lines at their largest never come together. */
export const UPDATE_KEPT_BYTES_MAX = 64 * 1_024 * 1_024;
