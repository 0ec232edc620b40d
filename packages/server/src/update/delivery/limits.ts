/** The bounds of what devices fetch and report, each with its unit and its reason. @module */

/** How often a device asks for news, in seconds: 10,000 devices are 33 requests a second. */
export const POLL_S = 300;

/** The part of that time by which devices differ, so that a fleet never asks all at once. */
export const POLL_JITTER = 0.2;

/** Requests are counted in windows of this many milliseconds. */
export const REQUESTS_WINDOW_MS = 60_000;

/** Requests of one device in a window: an update of SWUpdate or Mender takes some thirty. */
export const REQUESTS_PER_DEVICE_MAX = 300;

/** Devices whose requests are counted at a time: about 5 MB. */
export const DEVICES_COUNTED_MAX = 50_000;

/**
 * Downloads of one device at a time. One more ends its oldest: after a lost link the server may
 * take minutes to notice, and the device must not wait for that.
 */
export const DOWNLOADS_PER_DEVICE_MAX = 2;

/** Downloads of all devices at a time: each one holds a chunk and what TLS has not sent, 1 MB. */
export const DOWNLOADS_MAX = 256;

/**
 * Bytes a second to all devices together, unless `--update-rate-total` says otherwise: about a
 * tenth of a core, and room for messages on a line of 1 Gbit/s.
 */
export const TOTAL_BYTES_PER_SECOND = 67_108_864;

/** Bytes a second to one device, unless `--update-rate-device` says otherwise. */
export const DEVICE_BYTES_PER_SECOND = 8_388_608;

/** Bytes that leave at once after a silence: some pieces, so that a rate is one from the start. */
export const BURST_BYTES = 262_144;

/** Bytes handed to TLS at a time. */
export const PIECE_BYTES = 65_536;

/** How long a device may take for one piece, in milliseconds: 0.5 kB a second is a slow radio. */
export const STALL_MS_MAX = 120_000;

/** Largest report of a device, in bytes: all its fields at their longest have 600. */
export const REPORT_BYTES_MAX = 4_096;

/** After how many seconds a device is to come back when it, or all of them, ask too much. */
export const RETRY_AFTER_S = 30;

/** Longest name of a metadata file, in characters: a role of 64 and a version. */
export const METADATA_NAME_CHARACTERS_MAX = 96;

/** Characters of a path that a refusal is recorded with: a peer chooses them. */
export const REPORTED_PATH_CHARACTERS_MAX = 256;
