/** Metadata files: to bytes, and strictly back. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { Metadata, MetadataKind, type Root, type Snapshot, type Targets } from '@tufjs/models';
import { Signature, type Timestamp } from '@tufjs/models';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import { METADATA_BYTES_MAX } from './limits.ts';
import { problemOf } from './problems.ts';
import type { RoleKind } from './roles.ts';
import { EnvelopeSchema, SIGNED_SCHEMAS } from './schema.ts';

/** The signed part by its kind. */
export interface SignedOf {
  readonly root: Root;
  readonly targets: Targets;
  readonly snapshot: Snapshot;
  readonly timestamp: Timestamp;
}
/** Any signed part. */
export type Signed = SignedOf[RoleKind];

/** The bytes that are signed: canonical JSON. */
export function canonicalBytes(signed: Signed): Buffer {
  let bytes: Buffer = Buffer.alloc(0);
  // The library makes them only for who signs.
  new Metadata<Signed>(signed).sign((data) => {
    bytes = data;
    return new Signature({ keyID: '', sig: '' });
  });
  return bytes;
}

/** A metadata file as it is stored, hashed and served. */
export function toBytes(metadata: Metadata<Signed>): Buffer {
  return Buffer.from(JSON.stringify(metadata.toJSON()), 'utf8');
}

/** A metadata file that nobody has signed yet. */
export function unsigned<T extends Signed>(signed: T): Metadata<T> {
  return new Metadata(signed);
}

/**
 * Reads a metadata file of the wanted kind: its size, its form, its keys and its own rules. Who
 * signed it and whether it has expired is not looked at.
 * @returns it, or `E_UPDATE_METADATA`
 */
export function fromBytes<K extends RoleKind>(
  kind: K,
  bytes: Uint8Array,
): Metadata<SignedOf[K]> | Refusal {
  const json = readJson(kind, bytes);
  if (json instanceof Refusal) return json;
  const metadata = READERS[kind](json);
  const problem = problemOf(metadata.signed);
  return problem === undefined ? metadata : wrong(kind, problem);
}

type Json = Parameters<typeof Targets.fromJSON>[0];

const READERS: { readonly [K in RoleKind]: (json: Json) => Metadata<SignedOf[K]> } = {
  root: (json) => Metadata.fromJSON(MetadataKind.Root, json),
  targets: (json) => Metadata.fromJSON(MetadataKind.Targets, json),
  snapshot: (json) => Metadata.fromJSON(MetadataKind.Snapshot, json),
  timestamp: (json) => Metadata.fromJSON(MetadataKind.Timestamp, json),
};

function readJson(kind: RoleKind, bytes: Uint8Array): Json | Refusal {
  const most = METADATA_BYTES_MAX[kind];
  if (bytes.length > most) return wrong(kind, `it has more than ${most} bytes`);
  const envelope = EnvelopeSchema.safeParse(parseJson(bytes));
  if (!envelope.success) return wrong(kind, issueOf(envelope.error));
  const { signatures, signed } = envelope.data;
  if (new Set(signatures.map(({ keyid }) => keyid)).size < signatures.length) {
    return wrong(kind, 'a key has signed it twice');
  }
  const form = SIGNED_SCHEMAS[kind].safeParse(signed);
  if (!form.success) return wrong(kind, issueOf(form.error));
  return { signed: z.record(z.string(), z.json()).parse(signed), signatures };
}

function issueOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`;
}

function wrong(kind: RoleKind, problem: string): Refusal {
  return refuse('E_UPDATE_METADATA', `This is no valid ${kind} metadata: ${problem}.`);
}
