/** Revocation lists in the API. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

/** Query of `GET /v1/ca/crl`. */
export const CrlQuerySchema = z.strictObject({
  /** How the issuer is called in paths; without it, the one that issues now. */
  issuer: z
    .string()
    .regex(/^[0-9a-f]{8}$/, 'must be 8 hexadecimal digits')
    .optional(),
});

/** `GET /v1/ca/crl`: the complete certificate revocation list of an issuer. RFC 5280 §5 */
export const CrlViewSchema = z
  .object({
    /** First 8 digits of the issuer's key identifier. */
    issuer: text(8),
    /** cRLNumber. */
    number: z.int().min(1),
    thisUpdate: time,
    nextUpdate: time,
    /** How many certificates it lists. */
    count: z.int().min(0),
    /** DER in base64. */
    der: text(134_217_728),
  })
  .meta({ id: 'Crl' });
export type CrlView = Readonly<z.infer<typeof CrlViewSchema>>;
