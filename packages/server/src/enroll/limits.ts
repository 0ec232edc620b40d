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

/** Requests for revocation lists and OCSP are counted in windows of this many milliseconds. */
export const REVOCATION_WINDOW_MS = 60_000;

/** Of one network in a window: ten a second check a fleet of thousands twice an hour. */
export const REVOCATION_REQUESTS_MAX = 600;

/** Networks that are counted at a time: about 1 MB. */
export const REVOCATION_KEYS_MAX = 10_000;

/**
 * How long a revocation list, and an OCSP answer without nonce, is fresh for HTTP, in
 * milliseconds: what was revoked is known to all who ask within a minute.
 */
export const REVOCATION_FRESH_MS = 60_000;

/** An answer above this size is a download, in bytes: TLS keeps all of it until the peer reads. */
export const LARGE_BYTES = 65_536;

/** Downloads at a time: of lists with 100,000 entries of 5 MB, they keep 80 MB. */
export const DOWNLOADS_MAX = 16;

/** Downloads of one network at a time, so that it cannot take all of them. */
export const DOWNLOADS_PER_NETWORK_MAX = 4;

/** How long a download may take, in milliseconds: 5 MB in a minute is a slow mobile link. */
export const DOWNLOAD_MS_MAX = 60_000;

/** OCSP answers signed in a second, for all: about a tenth of one core, the rest is for devices. */
export const OCSP_SIGNATURES_PER_SECOND_MAX = 1_000;

/** Longest OCSP request in a path, in characters: one certificate takes 150. RFC 5019 §5 */
export const OCSP_PATH_CHARACTERS_MAX = 1_024;

/**
 * How long after a certificate was superseded its renewal is no sign of a clone, in milliseconds:
 * a device may have asked twice, and the second request arrives last.
 */
export const SUPERSEDED_PATIENCE_MS = 60_000;

/** Renewals are counted in windows of this many milliseconds. */
export const RENEWAL_WINDOW_MS = 3_600_000;

/** New certificates of one device in a window: each one is kept on record, used or not. */
export const RENEWALS_PER_DEVICE_MAX = 10;

/** Devices whose renewals are counted at a time: about 1 MB. */
export const RENEWAL_DEVICES_MAX = 10_000;

/**
 * Life of an app's certificate, in milliseconds: who is away for a month stays paired. A phone that
 * is lost is out at once when another app of its owner, or the operator, removes it.
 */
export const APP_CERTIFICATE_LIFE_MS = 30 * 86_400_000;

/** Life of a pairing code on a display, in milliseconds: as long as somebody stands before it. */
export const DISPLAYED_PAIR_CODE_LIFE_MS = 10 * 60_000;

/** Life of an invitation to one more app, in milliseconds: a day. */
export const APP_INVITATION_LIFE_MS = 86_400_000;

/** Apps of one owner: the phones and tablets of a large family. */
export const APPS_PER_OWNER_MAX = 16;

/** Devices of one owner; a list of them is one answer. */
export const DEVICES_PER_OWNER_MAX = 256;
