/**
 * What a signer's own machine remembers, so that a server cannot show it another past: the roots
 * that it saw last, and what its key has signed.
 * @module
 */
import { Refusal, refuse } from '@holdfast/protocol';
import { type FirmwareDocument, FirmwareDocumentSchema } from '@holdfast/protocol/api';
import { type Metadata, Root } from '@tufjs/models';
import { z } from 'zod';
import {
  type Repository,
  canonicalBytes,
  fromBytes,
  isSignedBy,
  keysOfRole,
  scopeOf,
  toBytes,
} from '../metadata/index.ts';
import type { CheckedDocument, CheckedRequest } from './checked-request.ts';
import type { Published } from './published.ts';
import { firmwareDocument, requestId } from './request.ts';

const SeenSchema = z.strictObject({
  type: z.literal('holdfast-signer-seen/1'),
  /** The newest root of each repository that was published, or signed to be the first. */
  roots: z.array(FirmwareDocumentSchema).max(2),
  /** The newest version that the key signed, by repository and role, and a hash of it. */
  signed: z.record(z.string().max(128), z.strictObject({ version: z.int(), hash: z.string() })),
});
/** What a signer's machine remembers. */
export type Seen = Readonly<z.infer<typeof SeenSchema>>;

/** Before the first request. */
export const NOTHING_SEEN: Seen = { type: 'holdfast-signer-seen/1', roots: [], signed: {} };

/** Reads what was remembered. @returns it, or `E_UPDATE_REQUEST` */
export function readSeen(text: string): Seen | Refusal {
  try {
    return SeenSchema.parse(JSON.parse(text));
  } catch {
    return refuse('E_UPDATE_REQUEST', 'The file of what this key has seen is damaged.');
  }
}

/**
 * Holds what a request says to be published against what was seen. From the seen root on, each one
 * must be signed by those whom the one before names, as a device follows them. TUF §5.3
 * @param history - older roots, for who missed some
 * @returns `E_UPDATE_REQUEST` when they do not belong together
 */
export function comparePast(
  seen: Seen,
  {
    published,
    history,
  }: {
    readonly published: Published;
    readonly history: readonly FirmwareDocument[];
  },
): Refusal | undefined {
  for (const { repository, metadata } of seen.roots) {
    const old = fromBytes('root', Buffer.from(metadata, 'base64'));
    if (old instanceof Refusal) return old;
    const between = history.filter((document) => document.repository === repository);
    const last = followed(old, between);
    const problem = pastProblem(last, published[repository]);
    if (problem === undefined) continue;
    return refuse('E_UPDATE_REQUEST', `Of the ${repository} repository it says ${problem}.`);
  }
  return undefined;
}

/** What this key signed before in other words, as warnings. */
export function repeatedVersions(seen: Seen, documents: readonly CheckedDocument[]): string[] {
  return documents.flatMap((document) => {
    const before = seen.signed[placeOf(document)];
    if (before === undefined || before.version < document.version) return [];
    if (before.version === document.version && before.hash === hashOf(document)) return [];
    return `This key has signed version ${before.version} of ${placeOf(document)} before, in other words.`;
  });
}

/** What is remembered once these documents of a request are signed. */
export function seenAfter(
  seen: Seen,
  {
    published,
    request,
    documents,
  }: {
    readonly published: Published;
    readonly request: CheckedRequest;
    readonly documents: readonly CheckedDocument[];
  },
): Seen {
  const roots = (['image', 'director'] as const).flatMap((repository) => {
    const bytes = rootBytes(repository, { published, request });
    return bytes === undefined ? [] : firmwareDocument({ repository, role: 'root', bytes });
  });
  const signed = documents.map(
    (document) =>
      [placeOf(document), { version: document.version, hash: hashOf(document) }] as const,
  );
  return { ...seen, roots, signed: { ...seen.signed, ...Object.fromEntries(signed) } };
}

/** The newest root that can be reached from one, each signed by the keys of the one before. */
function followed(from: Metadata<Root>, history: readonly FirmwareDocument[]): Metadata<Root> {
  let last = from;
  for (const { metadata } of history) {
    const next = fromBytes('root', Buffer.from(metadata, 'base64'));
    if (next instanceof Refusal || next.signed.version !== last.signed.version + 1) continue;
    const isSame = scopeOf(next.signed).repository === scopeOf(last.signed).repository;
    const own = isSignedBy(next, keysOfRole(next.signed, 'root'));
    if (!isSame || !own || !isSignedBy(next, keysOfRole(last.signed, 'root'))) continue;
    last = next;
  }
  return last;
}

function pastProblem(old: Metadata<Root>, now: Metadata<Root> | undefined): string | undefined {
  // What this key signed to be the first root may wait for others still.
  const isFirst = Object.keys(old.signatures).length === 0;
  if (now === undefined) return isFirst ? undefined : 'that there is no root, and there was one';
  const [version, before] = [now.signed.version, old.signed.version];
  if (version < before) return `that version ${version} of the root is the newest, not ${before}`;
  if (version === before) {
    const isSame = canonicalBytes(now.signed).equals(canonicalBytes(old.signed));
    return isSame ? undefined : `another version ${version} of the root than was seen or signed`;
  }
  const isNext = version === before + 1;
  if (isNext && isSignedBy(now, keysOfRole(old.signed, 'root'))) return undefined;
  return `that the root is version ${version}, and shows no way to it from version ${before}, which was seen`;
}

/** The published root; before there is one, the proposed one. */
function rootBytes(
  repository: Repository,
  { published, request }: { readonly published: Published; readonly request: CheckedRequest },
): Uint8Array | undefined {
  const root = published[repository];
  if (root !== undefined) return toBytes(root);
  const proposed = request.documents.find((d) => d.repository === repository && d.role === 'root');
  return proposed?.metadata.signed instanceof Root ? toBytes(proposed.metadata) : undefined;
}

function placeOf({ repository, role }: CheckedDocument): string {
  return `${repository} ${role}`;
}

function hashOf({ repository, role, bytes }: CheckedDocument): string {
  return requestId([firmwareDocument({ repository, role, bytes })]);
}
