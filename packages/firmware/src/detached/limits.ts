/** The bounds of detached signatures, with their unit and their reason. @module */

/**
 * Largest artifact that gets a detached signature, in bytes. Ed25519 signs all of it at once, so
 * signer and device hold it in memory; larger ones belong to devices that read metadata.
 */
export const DETACHED_BYTES_MAX = 512 * 1_024 * 1_024;

/** Longest signature in bytes: ECDSA on P-256 in DER takes 72 at most. */
export const DETACHED_SIGNATURE_BYTES_MAX = 72;
