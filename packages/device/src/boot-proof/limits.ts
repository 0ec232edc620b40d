/** The bounds of what a device does with its TPM. @module */

/** A tool that takes longer is ended: a slow TPM makes an RSA key in half a minute. */
export const TPM_TOOL_MS_MAX = 120_000;

/** Longest event log that is sent; the server reads no longer one. */
export const TPM_EVENT_LOG_BYTES_MAX = 262_144;
