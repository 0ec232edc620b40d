/** The HTTP API: TPMs of devices, and what they have proven. Part of `api.ts`. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u, 'must be SHA-256 in hexadecimal');

/** `PUT /v1/devices/{id}/tpm`. */
export const AcceptTpmRequestSchema = z
  .strictObject({
    /** SHA-256 of the public endorsement key, as the TPM's manufacturer or the device tells it. */
    ekSha256: sha256,
  })
  .meta({ id: 'AcceptTpmRequest' });

/** The TPM of a device. */
export const TpmViewSchema = z
  .object({
    ekSha256: sha256,
    boundAt: time,
    /** Who vouches for the endorsement key. */
    trust: z.enum(['manufacturer', 'operator', 'nobody']),
    trustedBy: text(128).optional(),
    /** Whether it counts now as proven how the device booted. */
    boot: z.enum(['proven', 'unproven']).optional(),
    /** The last proof: when, and which release it showed. */
    proof: z.object({ at: time, release: text(65) }).optional(),
    /** Why the last evidence proved nothing. */
    why: text(512).optional(),
  })
  .meta({ id: 'Tpm' });
export type TpmView = Readonly<z.infer<typeof TpmViewSchema>>;
