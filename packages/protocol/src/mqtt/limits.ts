/** The bounds of the codec: what the standard allows, and where Holdfast stops earlier. @module */

/** Bytes of a remaining length, or of any variable byte integer. MQTT 5 §1.5.5, 3.1.1 §2.2.3 */
export const VARIABLE_BYTES_MAX = 4;

/** Largest remaining length, in bytes, that four bytes can express. MQTT 3.1.1 §2.2.3 */
export const REMAINING_LENGTH_MAX = 268_435_455;

/** Largest string or binary field, in bytes: its length is a 16-bit number. MQTT 3.1.1 §1.5.3 */
export const FIELD_BYTES_MAX = 65_535;

/** Largest packet identifier; the smallest is 1. MQTT 3.1.1 [MQTT-2.3.1-1] */
export const PACKET_ID_MAX = 65_535;

/**
 * Topic filters in one SUBSCRIBE or UNSUBSCRIBE. The standard sets no limit; each filter becomes
 * an object many times its size on the wire, so one packet must not be able to ask for 65,000.
 */
export const FILTERS_PER_PACKET_MAX = 1_024;

/**
 * User properties, or subscription identifiers, in one packet. The standard sets no limit; for
 * the same reason as above.
 */
export const REPEATED_PROPERTIES_MAX = 1_024;

/**
 * First allocation for a frame that spans chunks, in bytes. Most packets of a device fit, and a
 * peer that only announces a large packet costs no more than this.
 */
export const CARRY_BYTES_MIN = 1_024;

/** Topics that a `TopicReader` remembers: a device has telemetry, state and a few more. */
export const TOPICS_REMEMBERED_MAX = 4;

/** Longest topic that a `TopicReader` remembers, in bytes, so that it holds a kilobyte at most. */
export const TOPIC_REMEMBERED_BYTES_MAX = 256;
