/** The bounds of the figures over time. @module */

/** How often what was counted is looked at: the step of the last hour. */
export const SAMPLE_MS = 10_000;

/** How often figures are written: after a power cut, as much of them is missing. */
export const FIGURES_WRITE_MS = 60_000;

/**
 * Steps that are kept together in one record: a few kilobytes, so that a write a minute wears no
 * disk.
 */
export const STEPS_OF_RECORD = 96;
