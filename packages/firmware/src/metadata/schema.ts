/**
 * The exact form of every document. Nothing that it does not know is taken: what a signer is not
 * shown, nobody may sign.
 * @module
 */
import { z } from 'zod';
import { ReleaseCustomSchema } from '../release.ts';
import {
  FILE_NAME_MAX,
  LINES_MAX,
  LINE_RELEASES_MAX,
  METADATA_KEYS_MAX,
  ROLE_KEYS_MAX,
  SIGNATURES_MAX,
  VERSION_MAX,
} from './limits.ts';
import { ROLE_KINDS, RoleName, ScopeSchema } from './roles.ts';

/** SHA-256 in hexadecimal: a key id, a hash of a file. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/u);
/** Version of a metadata file. */
export const Version = z.int().min(1).max(VERSION_MAX);

const Time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u)
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time');

const KeySchema = z.strictObject({
  keytype: z.enum(['ed25519', 'ecdsa']),
  scheme: z.enum(['ed25519', 'ecdsa-sha2-nistp256']),
  keyval: z.strictObject({ public: z.string().max(512) }),
});

const Keys = z
  .record(Sha256, KeySchema)
  .refine((keys) => Object.keys(keys).length <= METADATA_KEYS_MAX, 'must be fewer keys');

const role = {
  keyids: z
    .array(Sha256)
    .min(1)
    .max(ROLE_KEYS_MAX)
    .refine((ids) => new Set(ids).size === ids.length, 'must not name a key twice'),
  threshold: z.int().min(1),
};

const isReachable = ({ keyids, threshold }: { keyids: string[]; threshold: number }): boolean =>
  threshold <= keyids.length;
const UNREACHABLE = 'must not ask for more keys than there are';
const Role = z.strictObject(role).refine(isReachable, UNREACHABLE);

const common = {
  spec_version: z.string().regex(/^1\.0\.\d{1,3}$/u),
  version: Version,
  expires: Time,
  holdfast: ScopeSchema,
};

const RootSchema = z.strictObject({
  ...common,
  _type: z.literal('root'),
  consistent_snapshot: z.literal(true),
  keys: Keys,
  roles: z.strictObject({ root: Role, targets: Role, snapshot: Role, timestamp: Role }),
});

/** A target: an artifact, and what is said of it. */
export const TargetSchema = z.strictObject({
  length: z.int().min(1),
  hashes: z.strictObject({ sha256: Sha256 }),
  custom: ReleaseCustomSchema,
});

/** File name of an artifact: the last part of the path of a target. */
export const FileName = z
  .string()
  .max(FILE_NAME_MAX)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/u);

const DelegatedRole = z
  .strictObject({
    ...role,
    name: RoleName,
    paths: z.array(z.string().max(64)).length(1),
    terminating: z.literal(true),
  })
  .refine(isReachable, UNREACHABLE);

const TargetsSchema = z.strictObject({
  ...common,
  _type: z.literal('targets'),
  targets: z
    .record(z.string().max(256), TargetSchema)
    .refine((all) => Object.keys(all).length <= LINE_RELEASES_MAX, 'must be fewer releases'),
  delegations: z
    .strictObject({ keys: Keys, roles: z.array(DelegatedRole).max(LINES_MAX) })
    .optional(),
});

const MetaSchema = z.strictObject({
  version: Version,
  length: z.int().min(1),
  hashes: z.strictObject({ sha256: Sha256 }),
});

const SnapshotSchema = z.strictObject({
  ...common,
  _type: z.literal('snapshot'),
  meta: z.record(z.string().regex(/^[a-z0-9-]{1,64}\.json$/u), MetaSchema),
});

const TimestampSchema = z.strictObject({
  ...common,
  _type: z.literal('timestamp'),
  meta: z.strictObject({ 'snapshot.json': MetaSchema }),
});

/** The signed part of each kind of metadata. */
export const SIGNED_SCHEMAS = {
  root: RootSchema,
  targets: TargetsSchema,
  snapshot: SnapshotSchema,
  timestamp: TimestampSchema,
} as const satisfies Record<(typeof ROLE_KINDS)[number], z.ZodType>;

/** A signature of a metadata file. */
export const SignatureSchema = z.strictObject({
  keyid: Sha256,
  sig: z.string().regex(/^(?:[0-9a-f]{2}){8,80}$/u),
});

/** A metadata file, before its signed part is looked at. */
export const EnvelopeSchema = z.strictObject({
  signed: z.looseObject({ _type: z.enum(ROLE_KINDS) }),
  signatures: z.array(SignatureSchema).max(SIGNATURES_MAX),
});
