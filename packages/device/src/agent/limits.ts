/** Every bound of the device agent, with its unit and its reason. @module */

/** Time to wait for another process that changes the state of the slots, in milliseconds. */
export const MUTEX_WAIT_MS_MAX = 5_000;

/** Time that a new image has to reach the server and pass its checks, in seconds. */
export const TRIAL_WITHIN_S = { default: 30, min: 1, max: 3_600 } as const;

/** Time that a new image has to stay up before it is confirmed, in seconds: most crash at once. */
export const TRIAL_STEADY_S = { default: 5, min: 0, max: 3_600 } as const;

/**
 * Time that a trial waits for a server that the image before could not reach either, in seconds:
 * a day, for the cable to be plugged in again.
 */
export const TRIAL_OFFLINE_S = { default: 86_400, min: 1, max: 30 * 86_400 } as const;

/** Starts of a new image before the boot loader goes back: one may fall into a power cut. */
export const TRIAL_TRIES = { default: 3, min: 1, max: 9 } as const;

/** Pause between two attempts of a trial to connect, or to pass its checks, in milliseconds. */
export const TRIAL_PAUSE_MS = 1_000;

/** The same while a trial waits for a server that could not be reached before, in milliseconds. */
export const TRIAL_WAITING_PAUSE_MS = 20_000;

/** Most local checks, and their time limits in seconds. */
export const CHECKS_MAX = 16;
export const CHECK_WITHIN_S = { default: 10, min: 1, max: 600 } as const;

/**
 * Restarts into a trial slot beyond its tries: a boot loader that never starts the slot takes no
 * try away, and the device would restart for ever.
 */
export const RESTARTS_SPARE = 1;

/** Reports that wait for the server. Beyond, the oldest is dropped: the last ones say how it ended. */
export const REPORTS_WAITING_MAX = 32;

/** Longest reason in a report, in UTF-16 code units. */
export const REPORT_WHY_MAX = 256;

/** Time between two polls, in seconds, when the server says nothing, and what it may say. */
export const POLL_S = { default: 300, min: 5, max: 86_400 } as const;

/** Part by which a poll comes earlier or later, so that a fleet does not come at once. */
export const POLL_JITTER = 0.2;

/** Back-off of polls and downloads that fail: first and largest ceiling, in milliseconds. */
export const POLL_BACK_OFF = { firstMs: 5_000, capMs: 3_600_000, stableMs: 0 } as const;

/** Largest answer to a poll, in bytes: it is a hundred. */
export const POLL_ANSWER_BYTES_MAX = 4_096;

/** Largest configuration file, in bytes. */
export const SETTINGS_BYTES_MAX = 65_536;

/** Largest environment of U-Boot, in bytes, and smallest: its sizes are powers of two. */
export const ENVIRONMENT_BYTES = { min: 256, max: 1_024 * 1_024 } as const;

/** Time that a supervised program has to end before it is killed, in milliseconds. */
export const STOP_MS_MAX = 10_000;

/** Pause before a program that ended is started again: first and largest ceiling, in ms. */
export const RESTART_BACK_OFF = { firstMs: 1_000, capMs: 60_000, stableMs: 60_000 } as const;

/** What the supervisor waits beyond `trial.withinS` for the word of the agent, in milliseconds. */
export const SUPERVISOR_SPARE_MS = 30_000;

/** How long one word of a waiting agent keeps the supervisor from ending the trial, in ms. */
export const SUPERVISOR_LEASE_MS = 60_000;

/** Time that reports have to go out before a restart, in milliseconds; else they go afterwards. */
export const LAST_REPORTS_MS_MAX = 5_000;

/** Time that a restart may take before it is asked for again, in milliseconds. */
export const RESTART_MS_MAX = 10 * 60_000;

/** A proof of the boot counts for a day; it is made anew after half of it, in milliseconds. */
export const PROVE_AGAIN_MS = 12 * 3_600_000;

/** Pause after a proof that failed, in milliseconds. */
export const PROVE_RETRY_MS = 60_000;

/** How often the server is asked whether somebody vouches for the TPM, in milliseconds. */
export const PROVE_WAITING_MS = 5 * 60_000;
