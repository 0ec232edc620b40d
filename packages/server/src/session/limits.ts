/** The bounds of an MQTT session. @module */

/** Largest packet in bytes: a payload of 64 KiB with its topic. */
export const PACKET_BYTES_MAX = 65_536 + 2_048;

/** How long an admitted peer may take until its CONNECT is there. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** How long a peer may take to close its side, once the server has closed its own. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** QoS 1 messages of one peer that wait for the disk before no more are read from it. */
export const UNACKNOWLEDGED_COUNT_MAX = 512;

/** QoS 1 messages on their way to one peer without its PUBACK; what comes after waits. */
export const IN_FLIGHT_COUNT_MAX = 32;

/** QoS 1 messages that wait for one peer; a peer that lets more pile up is disconnected. */
export const WAITING_COUNT_MAX = 1_000;

/** Bytes written to one peer and not yet taken by its socket; a slower peer is disconnected. */
export const OUTBOUND_BYTES_MAX = 1_048_576;

/** Subscriptions of one session: a device has a handful. */
export const SUBSCRIPTIONS_MAX = 50;

/** How often time-outs and certificate ends are looked at. */
export const SWEEP_INTERVAL_MS = 1_000;
