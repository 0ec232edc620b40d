/** The bounds of the image repository. @module */

/** Largest artifact, in bytes: a root file system of a gateway; microcontrollers have some 100 kB. */
export const ARTIFACT_BYTES_MAX = 512 * 1_024 * 1_024;

/** Artifacts that are kept at a time: 200 releases of 10 lines, each with a few deltas. */
export const ARTIFACTS_MAX = 10_000;

/**
 * Bytes of a chunk, before it is sealed. No byte leaves before its chunk is authentic, so this much
 * is in memory for each download; an artifact has at most 1,024 of them.
 */
export const CHUNK_BYTES = 512 * 1_024;

/** Opened chunks that are remembered, 16 MiB: devices of one rollout read the same ones. */
export const CHUNKS_REMEMBERED_MAX = 32;

/** Uploads under way at a time: each one holds a part and a chunk in memory. */
export const UPLOADS_MAX = 4;

/** Bytes of one part of an upload: a request that a line of 1 Mbit/s sends in time. */
export const UPLOAD_PART_BYTES_MAX = 2 * 1_024 * 1_024;

/** How long an upload may be silent before it is given up, in milliseconds. */
export const UPLOAD_IDLE_MS = 300_000;

/**
 * How long a metadata file that was replaced can be asked for, in milliseconds: a device that began
 * with the files before may take days over a slow line. Roots stay for ever.
 */
export const OLD_DOCUMENT_KEPT_MS = 7 * 86_400_000;

/** Signing requests that are open at a time: people sign a few in a week. */
export const OPEN_REQUESTS_MAX = 32;

/** Life of a timestamp, in milliseconds: so long can a device be kept from what is new, unnoticed. */
export const TIMESTAMP_LIFE_MS = 86_400_000;

/** How often it is signed again, in milliseconds: three times may fail before it ends. */
export const TIMESTAMP_RENEW_MS = 21_600_000;

/** Life of a snapshot, in milliseconds. */
export const SNAPSHOT_LIFE_MS = 7 * 86_400_000;

/** It is signed again when this much of its life is left, in milliseconds. */
export const SNAPSHOT_RENEW_MS = 4 * 86_400_000;

/** How often it is looked what has to be signed again, in milliseconds; also after a failure. */
export const RESIGN_CHECK_MS = 300_000;

/** A timestamp or snapshot that ends within this many milliseconds was not renewed as it should. */
export const ONLINE_ALARM_MS = 43_200_000;

/** People are told so many milliseconds before what they have to sign ends: three weeks. */
export const PEOPLE_ALARM_MS = 21 * 86_400_000;

/** How often an alarm is repeated, in milliseconds: daily. */
export const ALARM_REPEAT_MS = 86_400_000;
