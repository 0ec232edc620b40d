/** Every bound of signing requests, with its unit and its reason. @module */

/** Largest signing request, in bytes: the document of a product line, before and after, in base64. */
export const REQUEST_BYTES_MAX = 16_777_216;

/** Largest file of signatures, in bytes: 16 signatures and their names take 6 kB. */
export const SIGNATURE_FILE_BYTES_MAX = 65_536;

/**
 * Longest life of a document that people sign, in days: a device that is kept from newer metadata
 * notices after this time at the latest.
 */
export const LIFE_DAYS_MAX = 400;

/** Life of a new root, in days. */
export const ROOT_DAYS = 365;

/** Life of new targets and of the documents of product lines, in days, when nothing is asked for. */
export const TARGETS_DAYS = { min: 1, default: 180, max: 365 } as const;
