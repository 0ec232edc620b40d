/** The bounds of the journal. @module */

/** Bytes that wait for the disk before publishers are paused: about 0.1 s at full speed. */
export const PENDING_BYTES_HIGH = 16 * 1_024 * 1_024;

/** Bytes below which paused publishers go on; well below the other, so that it does not flutter. */
export const PENDING_BYTES_LOW = 4 * 1_024 * 1_024;

/** How long to wait before a batch that could not be stored is tried again. */
export const RETRY_DELAY_MS = 1_000;

/** Refusals that are recorded one by one in a second; what goes beyond is summed up. */
export const REFUSALS_PER_SECOND_MAX = 200;

/**
 * The same for one code, principal and address: whoever floods us must not fill the disk with the
 * record of it.
 */
export const REFUSALS_OF_A_KIND_MAX = 10;

/** Kinds of refusals told apart within a second; further ones are summed up by code alone. */
export const REFUSAL_KINDS_MAX = 1_000;

/** Characters kept of each text of a refusal: the peer chooses some of them, and their length. */
export const REFUSAL_TEXT_MAX = 1_024;

/** The same for a peer that has proven nothing. */
export const STRANGER_TEXT_MAX = 256;
