/** Every bound of enrollment, with its unit and its reason. @module */

/** Life of a claim, in milliseconds, unless the operator says otherwise: a working day and more. */
export const CLAIM_LIFE_MS = 24 * 3_600_000;

/**
 * How long a redeemed claim gives the same key the same certificate again, in milliseconds: a
 * device whose answer was lost on the way tries again within minutes.
 */
export const REPEAT_MS_MAX = 10 * 60_000;

/** Largest body of simpleenroll, in bytes: the largest request, in base64 with line breaks. */
export const BODY_BYTES_MAX = 12_288;

/** Longest device id of a peer that is counted or reported, in characters: real ones have 64. */
export const CLAIMED_ID_CHARACTERS_MAX = 64;

/** Wrong claims are counted in windows of this many milliseconds. */
export const WRONG_WINDOW_MS = 60_000;

/** Wrong claims of one address in a window that are answered as such: a person mistypes a few. */
export const WRONG_PER_ADDRESS_MAX = 10;

/** Wrong claims for one device in a window: more come from several addresses that guess together. */
export const WRONG_PER_DEVICE_MAX = 5;

/** Addresses and devices that are counted at a time: about 1 MB each, whoever sends them. */
export const WRONG_KEYS_MAX = 10_000;

/** How long the answer to a wrong claim waits, in milliseconds: guessing costs the guesser. */
export const WRONG_DELAY_MS = 500;

/** Answers that wait at a time; further ones do not wait, so that waiting costs us little. */
export const WRONG_WAITING_MAX = 200;
