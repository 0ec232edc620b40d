/** The bounds of the time-series store. @module */

/** Rows of a chunk at most: opened whole in about a millisecond, and half a day at one in 10 s. */
export const CHUNK_ROWS_MAX = 4_096;

/**
 * Chunks of one size that are merged into one of the next: each row is written about three times,
 * and a query opens at most three times as many small chunks.
 */
export const CHUNKS_MERGED = 8;

/** Bytes that a chunk may become when it is decompressed: {@link CHUNK_ROWS_MAX} rows of 64 values. */
export const CHUNK_BYTES_MAX = 16 * 1_024 * 1_024;

/** Bytes from which a chunk is compressed: what fewer would save is less than the frame costs. */
export const COMPRESSED_BYTES_MIN = 128;

/**
 * Values that wait in memory before they are written: 10 to 30 MB, and after a crash so much of
 * the log is read again, in about two seconds.
 */
export const PENDING_VALUES_MAX = 1_000_000;

/** Messages that wait before they are written, whatever they hold. */
export const PENDING_MESSAGES_MAX = 500_000;

/** How long values wait before they are written. */
export const CHECKPOINT_INTERVAL_MS = 3_600_000;

/** Bytes of the log that are read in one go: about 10 ms, for which a query may have to wait. */
export const LOG_PAGE_BYTES = 128 * 1_024;

/** How long the worker goes on at a time before it looks for queries. */
export const SLICE_MS = 20;

/** How long a query waits for the newest messages to be taken in. */
export const CATCH_UP_MS_MAX = 1_000;

/** How often the worker is told of new messages. */
export const ADVANCE_INTERVAL_MS = 1_000;

/** How often it is told when there are none. */
export const IDLE_ADVANCE_MS = 300_000;

/** Numbers of one message that become points: a device chooses how many there are. */
export const VALUES_PER_MESSAGE_MAX = 64;

/**
 * How old the time of a value may be that its device states; else that of its arrival counts. The
 * largest that a class can be set to accept.
 */
export const VALUE_AGE_MS_MAX: number = 8_760 * 3_600_000;

/** How far that time may be ahead: as far as verification lets any class be. */
export const VALUE_AHEAD_MS_MAX = 300_000;

/** Levels of objects and arrays that are searched for numbers. */
export const VALUE_DEPTH_MAX = 6;

/** Characters of the name of a number within its message; longer ones are passed over. */
export const PATH_CHARACTERS_MAX = 256;

/** Topics of a device that have series; further ones are passed over, and counted. */
export const TOPICS_PER_DEVICE_MAX = 64;

/** Series of one topic; further ones are passed over, and counted. */
export const SERIES_PER_TOPIC_MAX = 64;

/** Series of one device; further ones are passed over, and counted. All its topics together. */
export const SERIES_PER_DEVICE_MAX = 1_024;

/**
 * Devices whose directory is kept in memory, about 4 kB each; those with values that wait stay
 * until they are written.
 */
export const DIRECTORIES_MAX = 20_000;

/**
 * Series in all of these, up to half a kilobyte each as a device chooses the name. Beyond, what
 * waits is written, and directories are forgotten down to half of it.
 */
export const SERIES_IN_MEMORY_MAX = 1_000_000;

/**
 * Marks of how much a device sent until when. When there are so many, each two become one: what is
 * removed by age or size is removed to within a 32nd of what is kept.
 */
export const USAGE_MARKS_MAX = 64;

/** The shortest time that a mark covers. */
export const USAGE_MARK_MS_MIN = 3_600_000;

/** How often what is too old, or too much, is looked for. */
export const RETENTION_INTERVAL_MS = 3_600_000;

/** Buckets that one query may compute; a page of them is smaller. */
export const BUCKETS_MAX = 100_000;

/** How long a stop waits for what is in memory to be written; what is not is read again. */
export const CLOSE_MS_MAX = 2_000;

/** How long the worker waits after a failure before it goes on. */
export const RETRY_DELAY_MS = 5_000;

/** Data keys that the main thread unwraps in one go for the worker: about a millisecond. */
export const KEYS_PER_SLICE = 50;
