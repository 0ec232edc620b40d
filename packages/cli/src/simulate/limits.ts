/** The bounds of a simulation, each with its unit and its reason. @module */

/** Devices of a simulation: one process carries 1,000 with patience, and no disk minds their keys. */
export const SIMULATED_DEVICES = { min: 1, max: 2_000, default: 50 } as const;

/** Readings of one device in a minute: the most is half of what its class may send. */
export const READINGS_PER_MINUTE = { min: 1, max: 3_000, default: 6 } as const;

/** Readings of the whole fleet in a second: beyond, one process is busy signing. */
export const READINGS_PER_SECOND = { min: 1, max: 5_000 } as const;

/** Enrollments at a time: they keep two cores busy, and leave the server its time for others. */
export const ENROLLING_AT_A_TIME = 4;

/** Connections that are made in a second at the start, so that nobody is held up by the handshakes. */
export const CONNECTS_PER_SECOND = 50;

/** Devices that hand over their history at a time; they fill a group commit. */
export const BACKFILLING_AT_A_TIME = 40;

/** Readings of a device's history: a chart of a day shows no more. */
export const BACKFILL_READINGS_MAX = 288;

/** How far back a history goes, in milliseconds: what every class takes, unless it is told less. */
export const BACKFILL_MS = { min: 600_000, max: 6 * 86_400_000 } as const;

/** How much less than the class allows, in milliseconds: late readings need some time on their way. */
export const LATE_MARGIN_MS = 600_000;

/** How old a reading may be without being late, in milliseconds. */
export const FRESH_MS = 240_000;

/** Readings of one device that are not acknowledged yet; beyond, it passes over its turn. */
export const UNACKNOWLEDGED_MAX = 200;

/** Readings that a device has kept during an outage, at most. */
export const KEPT_READINGS_MAX = 60;

/** Messages on their way during a flood: the server finds another one for as long as it looks. */
export const FLOOD_WINDOW = 1_500;

/** Time for one answer to a misbehaving device, in milliseconds. */
export const BARE_ANSWER_MS_MAX = 20_000;

/**
 * When a device misbehaves first, in milliseconds after its connection: who looks on does not want
 * to wait, and the counters of the connection before are used up by then.
 */
export const FIRST_MISDEED_MS = { min: 2_500, max: 8_000 } as const;

/** The pause before the next time: it is seen, and does not fill the list of refusals. */
export const MISDEED_PAUSE_MS = { min: 6_000, max: 30_000 } as const;

/** Within this time after its connection a device says what firmware it runs, in milliseconds. */
export const REPORTS_WITHIN_MS = 15_000;

/** Devices that are erased at a time. */
export const ERASING_AT_A_TIME = 4;

/** How often the screen is drawn, in milliseconds. */
export const SCREEN_MS = 1_000;

/** How often a line is printed where there is no screen, in milliseconds. */
export const LINE_MS = 10_000;

/** Different reasons of refusals that are shown, the most frequent first. */
export const REASONS_SHOWN_MAX = 10;
