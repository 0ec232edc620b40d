/** The bounds of MQTT connections and sessions. @module */

/** Largest packet in bytes: a payload of 64 KiB with its topic and properties. */
export const PACKET_BYTES_MAX = 65_536 + 4_096;

/** How long an admitted peer may take until its CONNECT is there. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** How long a peer may take to close its side, once the server has closed its own. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** The same for a peer that is admitted no longer: revoked means gone within a second. */
export const EXPEL_TIMEOUT_MS = 200;

/** Connections of one device at a time; all but one have yet to send their CONNECT. */
export const CONNECTIONS_PER_DEVICE_MAX = 4;

/** Messages of one peer that wait for the disk before no more are read from it. */
export const UNSTORED_COUNT_MAX = 512;

/**
 * The same for all peers together, in equal shares for those of which messages wait: what one turn
 * takes in has to be what subscribers can take out before the next.
 */
export const UNSTORED_TOTAL_MAX = 8_192;

/** Least share of one peer, however many others there are. */
export const UNSTORED_SHARE_MIN = 8;

/**
 * QoS 1 and 2 messages that a peer may send before one is acknowledged; MQTT 5 clients are told
 * (receive maximum), and more is a protocol error [MQTT-3.3.4-7].
 */
export const RECEIVE_MAX = 512;

/** Topic aliases that a peer may set: a device publishes on a handful of topics. */
export const TOPIC_ALIAS_MAX = 16;

/** Topic aliases that the server sets for a peer that allows them. */
export const OUTBOUND_ALIAS_MAX = 16;

/** QoS 1 and 2 messages on their way to one peer without its acknowledgement; others wait. */
export const IN_FLIGHT_COUNT_MAX = 32;

/** QoS 1 and 2 messages that wait for one session; the oldest make room for new ones. */
export const QUEUE_COUNT_MAX = 1_000;

/** Payload bytes of the messages that wait for one session; the oldest make room. */
export const QUEUE_BYTES_MAX = 4_194_304;

/**
 * Payload bytes that wait in memory for one connected session. What goes beyond is read from the
 * journal when its turn comes, so that a queue costs a reference and no payload.
 */
export const QUEUE_MEMORY_BYTES_MAX = 262_144;

/** Messages that are read back from the journal in one go. */
export const FETCH_COUNT = 32;

/**
 * Bytes written to one peer and not yet taken by its socket. Above it QoS 0 messages are dropped
 * and counted, and QoS 1 and 2 messages wait.
 */
export const OUTBOUND_BYTES_MAX = 1_048_576;

/** How long a peer may stay above `OUTBOUND_BYTES_MAX` before it is disconnected. */
export const SLOW_TIMEOUT_MS = 10_000;

/** Subscriptions of one session: a device has a handful. */
export const SUBSCRIPTIONS_MAX = 50;

/**
 * Longest time that a session outlives its connection, in seconds: 30 days. A session without an
 * end (MQTT 3.1.1 without clean session) ends then too.
 */
export const SESSION_EXPIRY_MAX_S = 30 * 86_400;

/** Longest keep-alive in seconds; MQTT 5 clients that ask for more, or none, are told this. */
export const KEEP_ALIVE_MAX_S = 3_600;

/** How long a peer may stay above its rate, slowed down all the time, before it is disconnected. */
export const RATE_PATIENCE_MS = 60_000;

/** How long a peer has to stay within its rate for that time to begin anew. */
export const RATE_PAUSE_MS = 2_000;

/**
 * API keys that are checked at a time, each some 1.5 ms of a thread: half of the threads that the
 * process has are left to others.
 */
export const API_KEY_CHECKS_RUNNING = 2;

/** API keys that are checked or wait for it: the last one waits for 3 s, less than peers do. */
export const API_KEY_CHECKS_MAX = 4_096;

/** The same for one device: as many as its connections and requests, and none of the others'. */
export const API_KEY_CHECKS_PER_DEVICE = 8;

/** Most bytes of one message of SCRAM: its names and nonces are far below. */
export const SCRAM_MESSAGE_BYTES_MAX = 512;

/** How long one step of an enhanced authentication may take. */
export const AUTHENTICATION_TIMEOUT_MS = 5_000;

/**
 * Connections in a row that one device may make, and how many milliseconds pay for one: a device
 * that connects more than once a second for a minute is held off, for a growing time.
 */
export const FLAPPING_COUNT_MAX = 60;
export const FLAPPING_FORGIVE_MS = 1_000;

/** First and longest time that a flapping device is held off. */
export const FLAPPING_HOLD_MS = 1_000;
export const FLAPPING_HOLD_MS_MAX = 300_000;

/** How often time-outs, expiries and certificate ends are looked at. */
export const SWEEP_INTERVAL_MS = 1_000;

/** Sessions whose subscriptions are looked at again in one turn, when the policy changes. */
export const CHECKED_SESSIONS_PER_TURN = 50;

/**
 * How long after a change of a device those are looked at that hear it and are not it: a fleet
 * that connects changes many at a time, and within a second is what is promised.
 */
export const FOREIGN_CHECK_DELAY_MS = 250;

/** Bytes that are gathered for one peer before they are written within a turn. */
export const WRITE_BATCH_BYTES = 65_536;

/**
 * The same for a program that takes in what the fleet sends: it hears many devices at a time, and
 * what waits for it is worth keeping, as references: 100,000 take about 20 MB.
 */
export const SERVICE_IN_FLIGHT_COUNT_MAX = 4_096;
export const SERVICE_QUEUE_COUNT_MAX = 100_000;
export const SERVICE_QUEUE_BYTES_MAX = 268_435_456;
export const SERVICE_QUEUE_MEMORY_BYTES_MAX = 16_777_216;
export const SERVICE_OUTBOUND_BYTES_MAX = 16_777_216;

/**
 * Connections that ended and are remembered, of all peers together, until the next start: about
 * 2 MB, and a device that looks for its trouble connects often.
 */
export const ENDED_CONNECTIONS_KEPT = 10_000;

/** The limits that a peer is told, that differ by class, or that a test changes. */
export interface SessionLimits {
  readonly packetBytesMax: number;
  readonly receiveMax: number;
  readonly topicAliasMax: number;
  readonly subscriptionsMax: number;
  readonly inFlightMax: number;
  readonly queueCountMax: number;
  readonly queueBytesMax: number;
  readonly queueMemoryBytesMax: number;
  readonly outboundBytesMax: number;
  readonly keepAliveMaxS: number;
  readonly sessionExpiryMaxS: number;
}

/** The limits as they stand above. */
export const SESSION_LIMITS: SessionLimits = {
  packetBytesMax: PACKET_BYTES_MAX,
  receiveMax: RECEIVE_MAX,
  topicAliasMax: TOPIC_ALIAS_MAX,
  subscriptionsMax: SUBSCRIPTIONS_MAX,
  inFlightMax: IN_FLIGHT_COUNT_MAX,
  queueCountMax: QUEUE_COUNT_MAX,
  queueBytesMax: QUEUE_BYTES_MAX,
  queueMemoryBytesMax: QUEUE_MEMORY_BYTES_MAX,
  outboundBytesMax: OUTBOUND_BYTES_MAX,
  keepAliveMaxS: KEEP_ALIVE_MAX_S,
  sessionExpiryMaxS: SESSION_EXPIRY_MAX_S,
};

/** Those of a service. */
export const SERVICE_LIMITS: SessionLimits = {
  ...SESSION_LIMITS,
  inFlightMax: SERVICE_IN_FLIGHT_COUNT_MAX,
  queueCountMax: SERVICE_QUEUE_COUNT_MAX,
  queueBytesMax: SERVICE_QUEUE_BYTES_MAX,
  queueMemoryBytesMax: SERVICE_QUEUE_MEMORY_BYTES_MAX,
  outboundBytesMax: SERVICE_OUTBOUND_BYTES_MAX,
};

/**
 * How long an HTTPS connection by a superseded certificate stays open, in milliseconds, so that
 * the answer to the request that superseded it arrives. Requests on it are refused meanwhile.
 */
export const SUPERSEDED_GRACE_MS = 500;

/**
 * Life of the session of an owner's page, in milliseconds: an hour. The page proves itself anew
 * without asking anybody, so a longer one would serve only whoever has stolen its cookie.
 */
export const APP_SESSION_LIFE_MS = 3_600_000;

/** Sessions of one app: a page has one; one more ends its oldest, and nobody else's. */
export const APP_SESSIONS_OF_APP_MAX = 4;

/** Sessions of all pages, about 5 MB; one more ends the oldest, whose page then proves itself anew. */
export const APP_SESSIONS_MAX = 10_000;
