/** Bounds and times of revocation lists and OCSP, each with its unit and its reason. @module */

/**
 * Partitions of the revocation list of an issuer. Certificates name theirs, so this never changes:
 * with 100,000 entries, one of 256 has 390 of them in 20 kB.
 */
export const CRL_PARTITIONS = 256;

/** From the issue of a CRL to its `nextUpdate`, in milliseconds: who fetches daily is never late. */
export const CRL_LIFE_MS = 86_400_000;

/** A CRL of this age is issued again, in milliseconds, so that a new one is always nearly whole. */
export const CRL_RENEWAL_MS = 3_600_000;

/** The least time between two issues of one CRL, in milliseconds: the rest of a second waits. */
export const CRL_INTERVAL_MS = 1_000;

/** From an OCSP answer to its `nextUpdate`, in milliseconds: how long "good" may be believed. */
export const OCSP_LIFE_MS = 600_000;

/** Largest OCSP request, in bytes: 16 certificates by SHA-256 need 2 kB. */
export const OCSP_REQUEST_BYTES_MAX = 4_096;

/** Certificates that one OCSP request may ask about: a few is usual, one is the rule. */
export const OCSP_CERTIFICATES_MAX = 16;

/** Longest nonce of an OCSP request, in bytes. RFC 9654 §2.1 */
export const OCSP_NONCE_BYTES_MAX = 128;

/** Authorities of one manufacturer: a few product lines, each with an old and a new one. */
export const MANUFACTURER_CERTIFICATES_MAX = 8;

/** Longest serial number of a device in the subject of its IDevID, in characters. RFC 5280 §A.1 */
export const IDEVID_SERIAL_CHARACTERS_MAX = 64;
