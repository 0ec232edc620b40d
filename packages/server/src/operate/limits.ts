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

/**
 * Requests of one person in a minute, with all credentials together: 100 a second, far more than
 * a console or a script in a hurry makes.
 */
export const PRINCIPAL_REQUESTS_PER_MINUTE_MAX = 6_000;

/** Principals whose requests are counted. */
export const WATCHED_PRINCIPALS_MAX = 10_000;

/** Requests without a valid credential from one network in a minute: health checks, sign-ins. */
export const STRANGER_REQUESTS_PER_MINUTE_MAX = 1_200;

/** How long a second factor that was shown again counts for dangerous acts. */
export const STEP_UP_LIFE_MS = 300_000;

/** How long a request waits for a second person, and an approved one for being made again. */
export const APPROVAL_LIFE_MS = 3_600_000;

/** Requests that wait for a second person at a time. */
export const APPROVALS_MAX = 200;

/** Of these, requests of one person: nobody can take the room of the others. */
export const APPROVALS_OF_PERSON_MAX = 20;

/** Devices of one request that waits: whoever approves is judged for each, some µs each time. */
export const APPROVAL_DEVICES_MAX = 1_000;

/** Devices that a refused bulk act names as those in its way. */
export const FORBIDDEN_DEVICES_TOLD_MAX = 5;

/** Wrong passwords and codes with one name, or in one known browser, before it is held off. */
export const SIGN_IN_WRONG_MAX = 10;

/** The longest that a name is held off, in milliseconds: its owner may be waiting, too. */
export const SIGN_IN_HOLD_MS_MAX = 900_000;

/** Names and browsers of which wrong attempts are remembered. */
export const SIGN_IN_NAMES_MAX = 10_000;

/** How long a browser may take at the OpenID provider, in milliseconds. */
export const OIDC_SIGN_IN_LIFE_MS = 600_000;

/** How long the OpenID provider may take for an answer, in seconds. */
export const OIDC_ANSWER_S_MAX = 10;

/** Largest answer of the OpenID provider, in bytes: its keys, or its description. */
export const OIDC_ANSWER_BYTES_MAX = 1_048_576;

/**
 * Devices whose state is changed in one go: a batch takes a few milliseconds, in which no message
 * goes its way.
 */
export const DEVICE_ACTS_BATCH = 100;

/** Devices that a refused import names as being in its way; a dry run names them all. */
export const IMPORT_CONFLICTS_TOLD_MAX = 5;

/** What a device asks for itself is counted in windows of this many milliseconds: an hour. */
export const DEVICE_SELF_WINDOW_MS = 3_600_000;

/** Pairing codes and resets that a device may ask for in a window: a code each ten minutes, twice. */
export const DEVICE_SELF_REQUESTS_MAX = 12;

/** Devices that are counted for this at a time: about 1 MB. */
export const DEVICES_WATCHED_MAX = 10_000;

/**
 * Proofs that are made at a time: each one reads in a thread of its own, and a second one keeps a
 * person from waiting for a program.
 */
export const PROOFS_MAX = 2;

/** Findings of a verification that its act names; the answer has all of them. */
export const FINDINGS_ON_RECORD_MAX = 10;

/** Exports under way at a time: each one reads the log as fast as its reader takes it. */
export const EXPORTS_MAX = 4;

/** Items that an export reads in one go. */
export const EXPORT_PAGE = 1_000;

/** Rows of a group of a Parquet file: so many are in memory at a time. */
export const EXPORT_ROW_GROUP = 5_000;

/** Characters of an export that leave together. */
export const EXPORT_FLUSH_BYTES = 65_536;
