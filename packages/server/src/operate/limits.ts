/** The bounds of the HTTPS API. @module */

/** Largest request body in bytes: a command, with room. */
export const BODY_BYTES_MAX = 65_536;

/** Wrong passwords, codes and credentials from one address in a minute. */
export const FAILED_ATTEMPTS_PER_MINUTE_MAX = 20;

/** Addresses whose failures are remembered. */
export const WATCHED_ADDRESSES_MAX = 10_000;

/** Silence after which a stream sends a sign of life. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** Events that wait for one reader of a stream; a slower one is disconnected and may come back. */
export const STREAM_WAITING_MAX = 1_000;

/** Streams that are open at a time. */
export const STREAMS_MAX = 200;
