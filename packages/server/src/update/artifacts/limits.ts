/** The bounds of what may be removed of the artifacts. @module */

/**
 * How long what was uploaded is kept from being removed with all that nothing needs, in
 * milliseconds: a release that somebody prepares for weeks. What waits for signatures is kept for
 * as long as it waits.
 */
export const RECENT_UPLOAD_MS = 30 * 86_400_000;

/** From so many bytes that nothing needs on, people are told of it: 1 GiB. */
export const UNNEEDED_BYTES_ALARM = 1_073_741_824;
