/** The bounds of what the registry keeps. @module */
import { RENEWAL_GRACE_MS_MAX } from '@holdfast/protocol/api';

/** API keys of one device that count at a time: the newest, and the one that it takes over from. */
export const API_KEYS_PER_DEVICE = 2;

/**
 * Iterations of the key derivation of API keys, the least that RFC 7677 allows. More would buy
 * nothing: the keys are 32 random bytes, and small devices compute this at each connect.
 */
export const SCRAM_ITERATIONS = 4_096;

/** How often the times of last use are stored, in milliseconds: a crash loses that much of them. */
export const API_KEY_USE_FLUSH_MS = 60_000;

/** Devices whose times of last use are stored in one go: about 10 ms of the disk. */
export const API_KEY_USE_FLUSH_COUNT = 256;

/** People that may exist at a time: each one is in memory, and looked through at a sign-in. */
export const PEOPLE_MAX = 1_000;

/** How long an invitation may wait, in milliseconds: a day. */
export const INVITATION_LIFE_MS = 86_400_000;

/** Sessions of one person; one more ends that person's oldest, and nobody else's. */
export const SESSIONS_OF_PERSON_MAX = 20;

/** How long the second step after a password may take, in milliseconds. */
export const PENDING_SIGN_IN_LIFE_MS = 300_000;

/** Wrong codes after which the password has to be given again. */
export const PENDING_SIGN_IN_TRIES_MAX = 5;

/** Pending sign-ins at a time; one more ends the oldest. Each one took a right password. */
export const PENDING_SIGN_INS_MAX = 1_000;

/** Passkeys that a person may have: phone, laptop, and keys in drawers. */
export const PASSKEYS_OF_PERSON_MAX = 16;

/** How long an answer to a passkey challenge may take, in milliseconds: people look for phones. */
export const CHALLENGE_LIFE_MS = 300_000;

/** Recovery codes of a person: for as many days without the phone. */
export const RECOVERY_CODES = 10;

/** How long the secret for an authenticator app waits for its first code, in milliseconds. */
export const TOTP_OFFER_LIFE_MS = 600_000;

/** Such secrets at a time; one more ends the oldest. */
export const TOTP_OFFERS_MAX = 1_000;

/** Browsers of a person that are known; one more, and the oldest is forgotten. */
export const KNOWN_BROWSERS_MAX = 10;

/** Manufacturers at a time: the certificate of a stranger is compared with those of all. */
export const MANUFACTURERS_MAX = 64;

/** How exactly it is known when an app was last there, in milliseconds: more would cost writes. */
export const APP_SEEN_STEP_MS = 3_600_000;

/** How long the record of a certificate outlives it: as long as it can be renewed at all. */
export const CERTIFICATE_KEPT_MS = RENEWAL_GRACE_MS_MAX;

/** Such records that are forgotten in one go, so that nobody waits for a long one. */
export const CERTIFICATES_PRUNED_MAX = 1_000;

/** How often it is stored when devices were seen last, in milliseconds: a crash loses that much. */
export const LAST_SEEN_FLUSH_MS = 10_000;

/** Records of this, of 512, that are written in one go: some milliseconds with 100,000 devices. */
export const LAST_SEEN_FLUSH_BUCKETS = 64;
