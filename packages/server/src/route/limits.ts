/** The bounds of what routing keeps in memory. @module */

/** Retained messages: a state and a few more for each of 10,000 devices, with room to grow. */
export const RETAINED_COUNT_MAX = 100_000;

/**
 * Payload bytes of all retained messages together. The count alone bounds no memory, as a payload
 * may be as large as a packet.
 */
export const RETAINED_BYTES_MAX = 268_435_456;
