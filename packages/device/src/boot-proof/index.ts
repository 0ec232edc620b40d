/** Measured boot: what a device proves by its TPM. @module */
export { type CallServer, proveBoot } from './boot-prover.ts';
export { TPM_DEFAULTS, type TpmSettings } from './tpm.ts';
