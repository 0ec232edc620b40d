/** The bounds of the codec: what the standard allows, and where Holdfast stops earlier. @module */

/** Bytes that a remaining length may take. MQTT 3.1.1 §2.2.3 */
export const REMAINING_LENGTH_BYTES_MAX = 4;

/** Largest remaining length, in bytes, that four bytes can express. MQTT 3.1.1 §2.2.3 */
export const REMAINING_LENGTH_MAX = 268_435_455;

/** Largest string or binary field, in bytes: its length is a 16-bit number. MQTT 3.1.1 §1.5.3 */
export const FIELD_BYTES_MAX = 65_535;

/** Largest packet identifier; the smallest is 1. [MQTT-2.3.1-1] */
export const PACKET_ID_MAX = 65_535;

/**
 * Topic filters in one SUBSCRIBE or UNSUBSCRIBE. The standard sets no limit; each filter becomes
 * an object many times its size on the wire, so one packet must not be able to ask for 65,000.
 */
export const FILTERS_PER_PACKET_MAX = 1_024;

/**
 * First allocation for a frame that spans chunks, in bytes. Most packets of a device fit, and a
 * peer that only announces a large packet costs no more than this.
 */
export const CARRY_BYTES_MIN = 1_024;
