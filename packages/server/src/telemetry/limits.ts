/** The bounds of what is read for the history of one device. @module */

/** Acts that are looked through in one go: some milliseconds of the thread that stores messages. */
export const ACTS_PAGE = 1_000;

/** Acts that one request looks through, when the index does not reach back far enough yet. */
export const ACTS_SCANNED_MAX = 20_000;

/** Messages of a device that are looked through for its commands in one go, and by one request. */
export const COMMANDS_PAGE = 500;
export const COMMANDS_SCANNED_MAX = 5_000;

/**
 * Answers of a device whose commands were not met yet, and the names of commands that they are for:
 * a device answers soon, and one that answers without end must not fill the memory.
 */
export const ACKS_WAITING_MAX = 64;
export const ACK_NAMES_WAITING_MAX = 16;
