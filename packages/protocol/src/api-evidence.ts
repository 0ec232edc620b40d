/** Evidence of single readings, and verifications of the log, as the API gives them. @module */
import { z } from 'zod';
import { text } from './api-fields.ts';

/** Place in the audit log. */
const index = z.int().min(0);

/** A checkpoint as text: a signed note of some hundred bytes, more with many cosignatures. */
const note = text(16_384);
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/u);

/** A leaf of the log, with the proof that it is in it. */
export const ProvenLeafSchema = z
  .strictObject({
    /** Its place in the log. */
    index,
    /** Base64 of 16 random bytes and the entry: what the leaf hash is taken over, after 0x00. */
    leaf: base64.max(2_097_152),
    /** The inclusion proof of RFC 9162 §2.1.3, from the leaf up; base64 of 32 bytes each. */
    proof: z.array(base64.length(44)).max(53),
  })
  .meta({ id: 'ProvenLeaf' });
export type ProvenLeaf = Readonly<z.infer<typeof ProvenLeafSchema>>;

/** A bundle of evidence; docs/reference/evidence.md says how it is checked. */
export const EvidenceSchema = z
  .strictObject({
    format: z.literal('holdfast-evidence/v1'),
    /** Public key of the log. Whoever checks takes it from elsewhere, or believes the bundle. */
    verifierKey: text(1_024),
    /** Signed note of the checkpoint that all proofs lead to, with the cosignatures of witnesses. */
    checkpoint: note,
    /** Id of the device. */
    device: text(64),
    reading: ProvenLeafSchema,
    /** The acts about the device before the reading, oldest first. */
    acts: z.array(ProvenLeafSchema).max(1_024),
    /** True when there are older acts that the bundle has no room for. */
    actsLeftOut: z.boolean(),
    /** DER in base64: the certificate of the device, its issuer, and so on up to the root. */
    certificates: z.array(base64.max(65_536)).max(8),
  })
  .meta({ id: 'Evidence' });
export type Evidence = Readonly<z.infer<typeof EvidenceSchema>>;

/** `POST /v1/devices/{id}/evidence`. */
export const ProveRequestSchema = z
  .strictObject({
    /** Which reading; without it, the newest one. */
    index: index.optional(),
  })
  .meta({ id: 'ProveRequest' });
export type ProveRequest = Readonly<z.infer<typeof ProveRequestSchema>>;

/** `POST /v1/audit/verifications`. */
export const VerifyLogRequestSchema = z
  .strictObject({
    /** A checkpoint that was good before: only what follows is checked. */
    since: note.optional(),
    /** A checkpoint that was kept elsewhere: the log has to be a continuation of it. */
    against: note.optional(),
  })
  .meta({ id: 'VerifyLogRequest' });
export type VerifyLogRequest = Readonly<z.infer<typeof VerifyLogRequestSchema>>;

const count = z.int().min(0);

/** What a verification of the log found. */
export const VerifiedLogSchema = z
  .object({
    ok: z.boolean(),
    since: count,
    entries: count,
    messages: count,
    acts: count,
    refusals: count,
    events: count,
    erased: count,
    expired: count,
    checkpoints: count,
    size: count,
    root: text(64),
    seconds: z.number().min(0),
    findings: z
      .array(
        z.object({
          entries: z.object({ first: count, last: count }).optional(),
          what: text(4_096),
        }),
      )
      .max(1_000),
  })
  .meta({ id: 'VerifiedLog' });
export type VerifiedLog = Readonly<z.infer<typeof VerifiedLogSchema>>;

/** A line of the answer to a verification: how far it is, then once its end. */
export const VerificationLineSchema = z
  .union([
    z.object({ done: count, size: count }),
    z.object({ report: VerifiedLogSchema }),
    z.object({ failed: text(4_096) }),
  ])
  .meta({ id: 'VerificationLine' });
export type VerificationLine = Readonly<z.infer<typeof VerificationLineSchema>>;
