/** The HTTP API: how the claim of a device stands. Part of `api.ts`. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

/** The one claim of a device, without its secret. */
export const ClaimStateSchema = z
  .object({
    expiresAt: time,
    /** When a device enrolled with it; absent while nobody has. */
    usedAt: time.optional(),
    /** The certificate that the device got: its SHA-256, lower-case hex. */
    certificate: text(64).optional(),
  })
  .meta({ id: 'ClaimState' });
export type ClaimState = Readonly<z.infer<typeof ClaimStateSchema>>;
