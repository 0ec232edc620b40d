/** The bounds of known vulnerabilities on the server, each with its unit and its reason. @module */

/** Longest line of the list in bytes: one advisory, with some thousand versions. */
export const ADVISORY_LINE_BYTES_MAX = 4 * 1_024 * 1_024;

/** Vulnerabilities that are listed of one release: as many as anybody reads. */
export const FINDINGS_MAX = 1_000;

/** Releases with a bill of materials that are looked at, the newest of each line first. */
export const SEARCHED_RELEASES_MAX = 100;
