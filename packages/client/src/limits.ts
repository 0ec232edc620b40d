/** The limits of the client, each with its unit and its reason. @module */

/** How long a request may take, in milliseconds; a sign-in spends most of a second on argon2id. */
export const REQUEST_MS_MAX = 30_000;

/** Largest response, in bytes: a page of 1,000 readings of 64 KiB each, and its JSON escapes. */
export const RESPONSE_BYTES_MAX = 256 * 1024 * 1024;

/** Largest answer of a server that is not known yet, in bytes: a root certificate has about 600. */
export const ANCHOR_BYTES_MAX = 65_536;

/** Longest server-sent event, in characters: the longest payload text of the API, all escaped. */
export const EVENT_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Entries in one page of catching up after a reconnect; one page is in memory at a time. */
export const CATCH_UP_ENTRIES = 200;

/** Silence after which a stream counts as dead, in milliseconds; the server sends a sign of life
 * more often. */
export const STREAM_SILENCE_MS_MAX = 60_000;

/** First and longest pause before a stream is opened again, in milliseconds. */
export const RECONNECT_MS_MIN = 500;
export const RECONNECT_MS_MAX = 15_000;

/** Part of its life after which an app renews its certificate: a third is left for what goes wrong. */
export const RENEWAL_FRACTION = 2 / 3;

/** First and longest pause after a renewal that failed, in milliseconds. */
export const RENEWAL_RETRY_MS_MIN = 60_000;
export const RENEWAL_RETRY_MS_MAX = 3_600_000;

/** How long a renewal waits before it looks at the clock again, in milliseconds: it may be set. */
export const RENEWAL_CHECK_MS_MAX = 3_600_000;

/** How often a part of an upload is sent before it is given up, and the pause between, in ms. */
export const PART_ATTEMPTS_MAX = 5;
export const PART_PAUSE_MS = 2_000;
