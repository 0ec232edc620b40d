/** The HTTP API: what an owner learns of refusals of a device of theirs. Part of `api.ts`. @module */
import { z } from 'zod';
import { time } from './api-fields.ts';

/**
 * What refusals come to, in kinds that say something to an owner. What was found in a message is
 * told to the operator alone: whoever alters messages could learn from it.
 */
export const OWNED_REFUSAL_KINDS = [
  /** The signature was wrong, or missing. */
  'altered',
  /** It was there before. */
  'repeated',
  /** Its time was too old, or still to come. */
  'wrong-time',
  /** It tried what it has no right to. */
  'not-permitted',
  /** It came with keys that count no more. */
  'old-keys',
  /** It tried to connect, while the operator keeps it out. */
  'kept-out',
  /** The server had no room: the device did nothing wrong. */
  'server',
  'other',
] as const;
export type OwnedRefusalKind = (typeof OWNED_REFUSAL_KINDS)[number];

/** `GET /v1/app/devices/{id}/refusals`: of the last day, as far as the owner has had the device. */
export const OwnedRefusalListSchema = z
  .object({
    /** What came before was not looked at, or is not this owner's. */
    since: time,
    /** The newest first; no more than one of each kind. */
    refusals: z
      .array(
        z.object({
          kind: z.enum(OWNED_REFUSAL_KINDS),
          count: z.int().min(1),
          firstAt: time,
          lastAt: time,
        }),
      )
      .max(OWNED_REFUSAL_KINDS.length),
  })
  .meta({ id: 'OwnedRefusalList' });
export type OwnedRefusalList = Readonly<z.infer<typeof OwnedRefusalListSchema>>;
