/** The bounds of the journal. @module */

/** Bytes that wait for the disk before publishers are paused: about 0.1 s at full speed. */
export const PENDING_BYTES_HIGH = 16 * 1_024 * 1_024;

/** Bytes below which paused publishers go on; well below the other, so that it does not flutter. */
export const PENDING_BYTES_LOW = 4 * 1_024 * 1_024;

/**
 * A commit, and the acknowledgements after it, cost about as much for one message as for a hundred.
 * So the next commit waits a little, the longer the more comes in, and a lone message not at all.
 */
export const COMMIT_INTERVAL_MS_MIN = 2;
export const COMMIT_INTERVAL_MS_MAX = 25;

/** Entries in a second for each millisecond of the interval between commits. */
export const COMMIT_RATE_PER_MS = 1_000;

/** Bytes that gather before they do not wait any longer. */
export const COMMIT_BYTES_MAX = 524_288;

/** How long to wait before a batch that could not be stored is tried again. */
export const RETRY_DELAY_MS = 1_000;

/** How often the disk is looked at: below a reserve of 64 MiB, no writing can use it up between. */
export const DISK_CHECK_MS = 250;

/** Room for messages again, as a multiple of the reserve; more than it, so that it does not flutter. */
export const DISK_ROOM_AGAIN = 1.25;

/** A commit that takes longer is slow: a healthy disk takes some ms, a memory card up to a second. */
export const COMMIT_SLOW_MS = 2_000;

/** How long no commit may have been slow before the disk counts as good again. */
export const COMMIT_SLOW_CALM_MS = 60_000;

/** How long state that is saved soon may wait; after a crash, so much of the log is replayed. */
export const SAVE_SOON_DELAY_MS = 1_000;

/**
 * Bytes of state saved soon that go with one batch: when a fleet's sessions have all changed, they
 * must not make the messages of that time wait for one huge write.
 */
export const STATE_BATCH_BYTES = 4 * 1_024 * 1_024;

/** Bytes that are read from the disk in one go, at least: one batch or row may hold more. */
export const READ_PAGE_BYTES = 1_024 * 1_024;

/**
 * Bytes of old batches that are read, and at most written again, in one go: some ms, for which a
 * group commit may have to wait.
 */
export const EXPIRY_SLICE_BYTES = 256 * 1_024;

/** Between two of these: a group commit comes first, and the disk has time for it. */
export const EXPIRY_PAUSE_MS = 15;

/** Expiries that are planned in one go, and named by one act. */
export const EXPIRIES_PER_ACT = 250;

/** Refusals that are recorded one by one in a second; what goes beyond is summed up. */
export const REFUSALS_PER_SECOND_MAX = 200;

/**
 * The same for one code, principal and address: whoever floods us must not fill the disk with the
 * record of it.
 */
export const REFUSALS_OF_A_KIND_MAX = 10;

/**
 * Kinds of refusals told apart within a second, or while nothing can be stored; further ones are
 * summed up by code alone.
 */
export const REFUSAL_KINDS_MAX = 1_000;

/** Characters kept of each text of a refusal: the peer chooses some of them, and their length. */
export const REFUSAL_TEXT_MAX = 1_024;

/** The same for a peer that has proven nothing. */
export const STRANGER_TEXT_MAX = 256;
