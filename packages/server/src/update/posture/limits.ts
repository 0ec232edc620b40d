/** The bounds of proofs of boots. @module */

/** How long a challenge can be answered: a TPM signs within a second, a slow one within some. */
export const CHALLENGE_MS = 60_000;

/** How long a proof counts; a device proves again at half of it, and after each boot. */
export const PROOF_MS = 86_400_000;

/** How often proofs that ran out are looked for. */
export const PROOF_SWEEP_MS = 60_000;

/** Longest request that binds a TPM: two keys, and certificates of the manufacturer. */
export const BIND_BYTES_MAX = 32_768;

/** Certificates that a TPM may show, the one of its endorsement key first. */
export const EK_CERTIFICATES_MAX = 4;

/** Longest evidence: an event log in base64, and the quote. */
export const EVIDENCE_BYTES_MAX = 360_448;
