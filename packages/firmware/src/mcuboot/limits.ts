/** The bounds of MCUboot images, each with its unit and its reason. @module */

/** Largest image in bytes: slots of microcontrollers are smaller, external flash included. */
export const MCUBOOT_BYTES_MAX = 64 * 1_024 * 1_024;

/** Most entries of a trailer: a signed image has five. */
export const MCUBOOT_ENTRIES_MAX = 64;
