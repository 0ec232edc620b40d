/** Measured boot: what a TPM vouches for, and how it is judged. @module */
export { type AttestationKey, readAttestationKey } from './attestation-key.ts';
export { type BootEvent, readEventLog, replay } from './event-log.ts';
export { type Measurements, MeasurementsSchema } from './expectation.ts';
export {
  type BootEvidence,
  type BootJudgement,
  type NotProven,
  type ProvenBoot,
  judgeBoot,
} from './judge-boot.ts';
export { EVENT_LOG_BYTES_MAX, TPM_BYTES_MAX } from './limits.ts';
export { type Credential, makeCredential } from './make-credential.ts';
