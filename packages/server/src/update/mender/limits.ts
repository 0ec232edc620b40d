/** The bounds of Mender's device interface, each with its unit and its reason. @module */

/** Largest authentication request, in bytes: identity data, and a public key of RSA 4096. */
export const AUTH_BYTES_MAX = 16_384;

/** Largest question for the next deployment, and largest status, in bytes. */
export const QUESTION_BYTES_MAX = 16_384;

/** Largest inventory, in bytes: what the scripts of the client gather has some 10 kB. */
export const INVENTORY_BYTES_MAX = 131_072;

/** Attributes of an inventory. */
export const INVENTORY_ATTRIBUTES_MAX = 1_000;

/** Largest log of a failed update, in bytes: the client keeps some hundred lines. */
export const LOG_BYTES_MAX = 1_048_576;

/** Messages of a log that are looked at. */
export const LOG_MESSAGES_MAX = 10_000;
