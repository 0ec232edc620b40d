/** The bounds of what a device may send as evidence of its boot. @module */

/** Longest structure of a TPM that is read: an RSA key of 4,096 bits and its signature fit. */
export const TPM_BYTES_MAX = 4_096;

/** Longest event log: a PC writes 20 to 60 kB at each boot. */
export const EVENT_LOG_BYTES_MAX = 262_144;

/** Events in a log; a PC writes about 150. */
export const EVENTS_MAX = 4_096;

/** Digests of one event, one for each bank. */
export const DIGESTS_MAX = 8;

/** PCRs of one bank. TCG PC Client Platform TPM Profile §4.6 */
export const PCRS_MAX = 24;

/** Smallest RSA key of a TPM that is believed, in bits. */
export const RSA_BITS_MIN = 2_048;
