/** The bounds of what is kept of the updates of a device. @module */

/**
 * Steps of updates that are kept of each device, the newest: an update has seven, so that these are
 * the last nine of them, in 6 kB of the disk. A device that tells more loses its own oldest ones;
 * what it was assigned stands on the audit log.
 */
export const UPDATE_STEPS_KEPT_MAX = 64;
