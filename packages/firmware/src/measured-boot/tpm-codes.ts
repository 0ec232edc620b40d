/** Codes of TPM structures. @see TPM 2.0 Library, Part 2, §6.3, §6.4, §6.9; TCG Algorithm Registry @module */

/** Ids of algorithms. */
export const TPM_ALG = {
  rsa: 0x0001,
  sha256: 0x000b,
  null: 0x0010,
  rsassa: 0x0014,
  ecdsa: 0x0018,
  ecc: 0x0023,
} as const;

/** The curve P-256. */
export const TPM_ECC_P256 = 0x0003;

/** What a TPM writes before everything that it has made by itself; nobody else can have it signed. */
export const TPM_GENERATED = 0xff544347;

/** The tag of a quote. */
export const TPM_ST_ATTEST_QUOTE = 0x8018;
