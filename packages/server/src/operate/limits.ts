/** The bounds of the HTTPS API. @module */

/** Largest request body in bytes: a command, with room. */
export const BODY_BYTES_MAX = 65_536;

/** Wrong passwords and one-time codes from one network in a minute. */
export const FAILED_ATTEMPTS_PER_MINUTE_MAX = 20;

/** Networks whose failures are remembered. */
export const WATCHED_NETWORKS_MAX = 10_000;

/** Characters of a path that a refusal is recorded with: a stranger chooses them. */
export const REPORTED_PATH_CHARACTERS_MAX = 256;

/** Characters of what was found wrong with a request: it may quote what a stranger sent. */
export const DETAIL_CHARACTERS_MAX = 512;

/** Silence after which a stream sends a sign of life. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** Bytes that wait for one reader of a stream; a slower one is disconnected and may come back. */
export const STREAM_WAITING_BYTES_MAX = 1_048_576;

/** Streams that are open at a time. */
export const STREAMS_MAX = 200;
