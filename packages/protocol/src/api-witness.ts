/** The HTTP API: tiles of the log, and its witnesses. Part of `api.ts`. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

/** Characters of a witness key: a name of a URL's length, and 55 more. */
const WITNESS_KEY_MAX = 512;
/** Characters of a checkpoint with the cosignatures of all witnesses. */
const CHECKPOINT_MAX = 16_384;

/** Path of `/v1/witnesses/{witness}`. */
export const WitnessPathSchema = z.strictObject({
  /** The id in the key of the witness: 8 hexadecimal digits. */
  witness: z.string().regex(/^[0-9a-f]{8}$/, 'must be 8 hexadecimal digits'),
});

/** `POST /v1/witnesses`. */
export const AddWitnessRequestSchema = z
  .strictObject({
    /** `<name>+<id>+<base64>`, as `holdfast audit witness` prints it. */
    key: z.string().min(1).max(WITNESS_KEY_MAX),
  })
  .meta({ id: 'AddWitnessRequest' });
export type AddWitnessRequest = Readonly<z.infer<typeof AddWitnessRequestSchema>>;

/** A checkpoint that a witness has cosigned. */
export const WitnessedSchema = z.object({
  /** Entries of the log that it covers. */
  size: z.int().min(0),
  /** When, by the clock of the witness. */
  at: time,
});

/** A witness as it is listed. */
export const WitnessViewSchema = z
  .object({
    id: text(8),
    name: text(WITNESS_KEY_MAX),
    key: text(WITNESS_KEY_MAX),
    addedAt: time,
    /** The newest checkpoint that it has cosigned; absent before the first one. */
    latest: WitnessedSchema.optional(),
    /** What it has seen that the log does not have: the log was set back or rewritten. */
    alarm: WitnessedSchema.optional(),
  })
  .meta({ id: 'Witness' });
export type WitnessView = Readonly<z.infer<typeof WitnessViewSchema>>;

/** `GET /v1/witnesses`, in the order of the names. */
export const WitnessListSchema = z
  .object({ witnesses: z.array(WitnessViewSchema) })
  .meta({ id: 'WitnessList' });

/** `POST /v1/log/cosignatures`. */
export const CosignatureRequestSchema = z
  .strictObject({
    /** A checkpoint of this log with cosignatures (C2SP tlog-cosignature). */
    checkpoint: z.string().min(1).max(CHECKPOINT_MAX),
  })
  .meta({ id: 'CosignatureRequest' });

/** The answer to it. */
export const TakenCosignaturesSchema = z
  .object({ witnesses: z.array(WitnessViewSchema) })
  .meta({ id: 'TakenCosignatures' });
