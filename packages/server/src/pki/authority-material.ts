/** What is kept of the certificate authority, in the sealed store. @module */
import { z } from 'zod';
import type { SavedKey } from '../crypto/index.ts';

/** The issuing authorities of one generation. */
export const ISSUING_ROLES = ['devices', 'servers', 'apps'] as const;
export type IssuingRole = (typeof ISSUING_ROLES)[number];

/**
 * The life of a generation: `next` is published, so that everybody knows it before it is used;
 * `issuing` makes all new certificates; `trusted` issues no more, what it issued goes on to count;
 * `ended` counts no more, and its keys are gone.
 */
const GENERATION_STATES = ['next', 'issuing', 'trusted', 'ended'] as const;
export type GenerationState = (typeof GENERATION_STATES)[number];

const SavedKeySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sealed'), pkcs8: z.base64() }),
  z.object({ kind: z.literal('pkcs11'), id: z.string().regex(/^[0-9a-f]{2,64}$/u) }),
]) satisfies z.ZodType<SavedKey>;

const MemberSchema = z.object({
  /** DER in base64. */
  certificate: z.base64(),
  /** Absent when it is elsewhere (the root, once it is offline) or gone (an ended generation). */
  key: SavedKeySchema.optional(),
});
/** One authority: its certificate, and where its key is. */
export type Member = Readonly<z.infer<typeof MemberSchema>>;

const GenerationSchema = z.object({
  /** Counts from 1. */
  number: z.int().min(1),
  state: z.enum(GENERATION_STATES),
  madeAtMs: z.int(),
  devices: MemberSchema,
  servers: MemberSchema,
  apps: MemberSchema,
});
/** Issuing authorities that were made together, and are replaced together. */
export type Generation = Readonly<z.infer<typeof GenerationSchema>>;

export const AuthoritySchema = z.object({
  version: z.literal(2),
  root: MemberSchema,
  /** Oldest first; one of them is `issuing`. */
  generations: z.array(GenerationSchema).min(1),
});
/** All that makes an authority, with its private keys: never log it, keep it sealed. */
export type AuthorityMaterial = Readonly<z.infer<typeof AuthoritySchema>>;

const MemberV1Schema = z.object({ certificate: z.base64(), key: z.base64() });

/** What the first version kept: one generation, without an authority for apps. */
export const AuthorityV1Schema = z.object({
  version: z.literal(1),
  root: MemberV1Schema,
  devices: MemberV1Schema,
  servers: MemberV1Schema,
});
export type AuthorityV1Material = Readonly<z.infer<typeof AuthorityV1Schema>>;

/** Every version that may stand in a store. */
export const StoredAuthoritySchema = z.discriminatedUnion('version', [
  AuthoritySchema,
  AuthorityV1Schema,
]);
