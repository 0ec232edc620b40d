/** The limits of the command line, each with its unit and its reason. @module */

/** Largest file of an import, in bytes: 100,000 devices with the longest names, read at once. */
export const IMPORT_BYTES_MAX = 33_554_432;

/** Devices in one file of an import: with that, it takes a few hundred megabytes of memory. */
export const IMPORT_DEVICES_MAX = 100_000;

/** Fields of a line of comma-separated values that are kept, and mistakes in a file: more of them
 * tell nothing more, and would fill the memory. */
export const CSV_FIELDS_MAX = 64;
export const CSV_PROBLEMS_MAX = 1_000;

/** Mistakes in a file of an import that are shown: as many as somebody corrects in one go. */
export const IMPORT_PROBLEMS_MAX = 20;

/** Largest file of known vulnerabilities, in bytes: the zip of the largest ecosystem. */
export const ADVISORY_SOURCE_BYTES_MAX = 1_073_741_824;

/** Bytes of devices in one request of an import: what the server takes, with room. */
export const IMPORT_REQUEST_BYTES_MAX = 60_000;
