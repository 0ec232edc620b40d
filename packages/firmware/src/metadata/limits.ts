/** Every bound of update metadata, with its unit and its reason. @module */

/**
 * Largest metadata file of each kind, in bytes, as the device's TUF client takes them: a root has
 * some keys, a targets file up to 2,000 releases of a product line.
 */
export const METADATA_BYTES_MAX = {
  root: 524_288,
  targets: 4_194_304,
  snapshot: 524_288,
  timestamp: 16_384,
} as const;

/** Most keys of one role: a ceremony with more people does not come to its end. */
export const ROLE_KEYS_MAX = 16;

/** Most keys in one metadata file: the roles of a root, or the product lines, together. */
export const METADATA_KEYS_MAX = 1_024;

/** Most product lines of one server. */
export const LINES_MAX = 64;

/** Most releases of a product line that devices are still told of. */
export const LINE_RELEASES_MAX = 2_000;

/** Most signatures on one metadata file: of the keys before a rotation, and of those after it. */
export const SIGNATURES_MAX = 32;

/** Highest version of a metadata file: a timestamp that is made each minute gets there in 4,000 years. */
export const VERSION_MAX = 2_147_483_647;

/** Longest file name in the path of a target, in characters. */
export const FILE_NAME_MAX = 128;
