/** Which TPM is bound to which device, and what it has proven. @module */
import { z } from 'zod';

const LeastSchema = z.object({ line: z.string(), counter: z.int() });
/** The least security counter that a device may prove in a product line. */
export type Least = Readonly<z.infer<typeof LeastSchema>>;

export const TpmSchema = z.object({
  device: z.string(),
  /** SHA-256 of the public endorsement key (SPKI), in hexadecimal: which TPM it is. */
  ekSha256: z.string(),
  /** `TPMT_PUBLIC` of the attestation key, base64. */
  akPublic: z.base64(),
  boundAtMs: z.int(),
  /** Who vouches for the endorsement key: a manufacturer, an operator, or nobody yet. */
  trust: z.enum(['manufacturer', 'operator', 'nobody']),
  /** The manufacturer, or the operator. */
  trustedBy: z.string().optional(),
  /** The last proof. */
  proof: z.object({ atMs: z.int(), release: z.string(), resetCount: z.int() }).optional(),
  /** Of what it has proven once it was confirmed: it does not go back to less. */
  least: LeastSchema.optional(),
  /** Why the last evidence proved nothing. */
  why: z.string().optional(),
});
/** A TPM of a device. */
export type TpmRecord = Readonly<z.infer<typeof TpmSchema>>;
