/** Every bound of the device SDK, with its unit and its reason. @module */

/** Largest body of an enrollment answer, in bytes: a chain takes 2 kB, keys less. */
export const ANSWER_BYTES_MAX = 65_536;

/** Time for one enrollment call, in milliseconds, name resolution and TLS handshake included. */
export const CALL_MS_MAX = 20_000;

/** Most certificates read from a certs-only message: a chain has three. */
export const CERTIFICATES_MAX = 16;

/** Most certificates from the operational one to the trust anchor, neither of them counted. */
export const CHAIN_ISSUERS_MAX = 4;

/** Largest file of a bundle that is read, in bytes. */
export const BUNDLE_FILE_BYTES_MAX = 65_536;

/** Most pins in a bundle: the server's own, and backups for its next keys. */
export const PINS_MAX = 8;

/**
 * Counters reserved with one durable write: a write takes milliseconds, and a crash skips what is
 * left of the block. The counter lasts for 2^53 messages, so skipping costs nothing.
 */
export const COUNTER_BLOCK = 1_024;

/** Messages that wait or are unacknowledged, all together. Beyond, `publish` rejects. */
export const QUEUE_MESSAGES_MAX = 1_000;

/** The same in bytes of JSON text. */
export const QUEUE_BYTES_MAX = 8 * 1_024 * 1_024;

/** QoS 1 messages that are sent and not acknowledged yet: enough to fill a group commit. */
export const IN_FLIGHT_MAX = 64;

/**
 * How far the counter may run ahead of the oldest unacknowledged message. The server accepts a
 * counter within 1,024 of the newest: beyond that, a resend would be taken for a replay and lost.
 */
export const COUNTER_SPREAD_MAX = 512;

/**
 * Age of "ts" at which a resend is signed anew, in milliseconds: the server refuses five minutes.
 * The counter stays, so the server still recognizes what it stored already.
 */
export const SIGNATURE_AGE_MS_MAX = 4 * 60_000;

/** Largest difference between the "ts" of a command and the clock of this device, in ms. */
export const COMMAND_AGE_MS_MAX = 5 * 60_000;

/** Counters below the newest command's that are still accepted, once each. */
export const COMMAND_WINDOW = 64;

/** Commands that wait for the handler. Further ones are refused: the server never sends so many. */
export const COMMANDS_WAITING_MAX = 64;

/** Largest packet accepted from the server, in bytes: the largest signed payload and its topic. */
export const PACKET_BYTES_MAX = 65_536 + 2_048;

/** Time from the first packet of TCP to CONNACK, in milliseconds. */
export const CONNECT_MS_MAX = 20_000;

/** Time that the server has to answer a PINGREQ, in milliseconds. */
export const PING_ANSWER_MS_MAX = 10_000;

/** Keep-alive, in seconds: default, and what the option may be. */
export const KEEP_ALIVE_S = { default: 60, min: 5, max: 3_600 } as const;

/** Time that closing waits for the peer before the socket is destroyed, in milliseconds. */
export const CLOSE_MS_MAX = 2_000;

/** Back-off of reconnects: first and largest ceiling, and how long counts as stable, in ms. */
export const BACK_OFF = { firstMs: 1_000, capMs: 60_000, stableMs: 60_000 } as const;

/** Part of its life after which a certificate is renewed: a third is left for what goes wrong. */
export const RENEWAL_FRACTION = 2 / 3;

/** How far the moment of renewal is spread, to both sides, so that a fleet does not come at once. */
export const RENEWAL_JITTER = 0.05;

/** Ceiling of the first pause after a failed renewal, in milliseconds; each failure doubles it. */
export const RENEWAL_RETRY_FIRST_MS = 60_000;

/** Largest ceiling of that pause, in milliseconds: four attempts a day for as long as it takes. */
export const RENEWAL_RETRY_MS_MAX = 6 * 3_600_000;

/** Longest time between two looks at the clock, in milliseconds: it may be set meanwhile. */
export const UPKEEP_CHECK_MS_MAX = 3_600_000;

/** Time between two fetches of the pin set, in milliseconds. */
export const PINS_FETCH_MS = 24 * 3_600_000;

/** Within this time after its start a device fetches the pin set first, in ms: not all at once. */
export const PINS_FIRST_FETCH_MS = 3_600_000;

/** How far "notBefore" of a pin set may be ahead of the clock of this device, in milliseconds. */
export const PINS_AHEAD_MS_MAX = 5 * 60_000;

/**
 * Refused connections with a renewed certificate after which the one before is tried once: the
 * server may have been set back to a state in which it did not know the new one.
 */
export const RENEWED_REFUSALS_MAX = 3;

/** Fewest iterations of PBKDF2 that a server may ask for. RFC 7677 §4 */
export const SCRAM_ITERATIONS_MIN = 4_096;

/** Most iterations: half a second of a small processor. The key is random, so few are enough. */
export const SCRAM_ITERATIONS_MAX = 600_000;

/** Longest message of a SCRAM exchange, in bytes: nonces and a salt take 200. */
export const SCRAM_MESSAGE_BYTES_MAX = 1_024;

/** Longest Fernet token that is opened, in characters: 16 MiB of it. */
export const FERNET_TOKEN_CHARACTERS_MAX = 16 * 1_024 * 1_024;

/** Messages that the store of a device keeps for the server, unless the program says otherwise. */
export const STORE_MESSAGES = { default: 100_000, min: 1, max: 10_000_000 } as const;

/** The same in bytes of payload: a week of a reading of 100 bytes each second takes 60 MB. */
export const STORE_BYTES = { default: 64 * 1_024 * 1_024, min: 65_536, max: 2 ** 40 } as const;

/** Size at which a file of stored messages is followed by the next one: what is freed at a time. */
export const STORE_SEGMENT_BYTES = 1_024 * 1_024;

/** Payloads of stored messages that are also held in memory, in bytes; others are read back. */
export const STORE_MEMORY_BYTES_MAX = 1_024 * 1_024;

/** Acknowledgements that a crash may forget: the messages are sent again, and not taken twice. */
export const STORE_FORGOTTEN_MAX = 64;

/** Largest content of a `SecureStore`, in bytes of JSON: it is written anew with each change. */
export const SECURE_STORE_BYTES_MAX = 1_024 * 1_024;

/** Longest name in a `SecureStore`, in UTF-16 code units. */
export const SECURE_STORE_NAME_MAX = 256;
