/** The bounds of what routing keeps in memory, and of what it does in one go. @module */

/** Retained messages: a state and a few more for each of 10,000 devices, with room to grow. */
export const RETAINED_COUNT_MAX = 100_000;

/**
 * Payload bytes of all retained messages together. The count alone bounds no memory, as a payload
 * may be as large as a packet.
 */
export const RETAINED_BYTES_MAX = 268_435_456;

/** Retained messages of one device (or person): none takes the room of all the others. */
export const RETAINED_PER_DEVICE_MAX = 64;

/**
 * Topics with retained messages that are looked at in one go for new subscriptions. Handing one
 * over costs 1 or 2 µs, so nobody else waits for more than some milliseconds.
 */
export const RETAINED_SLICE_COUNT = 1_000;

/** How long everybody else has the broker between two such slices. */
export const RETAINED_PAUSE_MS = 10;

/**
 * Topics whose receivers are remembered: three for each of 10,000 devices. At 1 kB for a topic of
 * the largest size with its receivers, devices that invent topics can fill 32 MB with them.
 */
export const REMEMBERED_PLANS_MAX = 32_768;
