/** Reads an authenticated SUIT manifest. @see draft-ietf-suit-manifest §8.4 @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { type Cbor, CborMap, encodeCbor } from './cbor.ts';
import { COMMON, MANIFEST, SEVERABLE, SHA_256 } from './codes.ts';
import { decodeCbor } from './decode-cbor.ts';
import { SUIT_COMPONENTS_MAX } from './limits.ts';
import { type SuitCommand, readSequence } from './read-sequence.ts';

/** The command sequences of a manifest; `shared` goes before each of the others. */
const SUIT_SEQUENCES = ['shared', 'fetch', 'install', 'validate', 'load', 'invoke'] as const;
export type SuitSequence = (typeof SUIT_SEQUENCES)[number];

/** What a manifest says. */
export interface SuitManifest {
  /** A device refuses a lower one than it has. */
  readonly sequence: number;
  /** Each as the path that the device calls it by. */
  readonly components: readonly (readonly Uint8Array[])[];
  readonly sequences: ReadonlyMap<SuitSequence, readonly SuitCommand[]>;
  readonly referenceUri?: string | undefined;
  /** Numbers of the members that were taken off; their digests are in the manifest. */
  readonly severed: readonly number[];
}

/** The members that stand in the envelope, by their number. */
type Members = ReadonlyMap<number, { readonly bytes: Uint8Array; readonly digest: Uint8Array }>;

/** @param members - of the envelope; one that the manifest has no digest of is refused */
export function readManifest(bytes: Uint8Array, members: Members): SuitManifest | Refusal {
  const manifest = decodeCbor(bytes);
  if (!(manifest instanceof CborMap)) return wrong('it is no map');
  if (manifest.get(MANIFEST.version) !== 1) return wrong('its version is not 1');
  const sequence = manifest.get(MANIFEST.sequence);
  if (typeof sequence !== 'number' || sequence < 0) return wrong('it has no sequence number');
  if (manifest.entries.some(([key]) => !KNOWN.has(key))) return wrong('it has unknown members');
  const referenceUri = manifest.get(MANIFEST.referenceUri);
  if (referenceUri !== undefined && typeof referenceUri !== 'string') {
    return wrong('its reference is no text');
  }
  const common = readCommon(manifest.get(MANIFEST.common));
  if (common instanceof Refusal) return common;
  const sequences = new Map<SuitSequence, readonly SuitCommand[]>([['shared', common.shared]]);
  const severed: number[] = [];
  for (const [name, key] of MEMBERS) {
    const member = memberOf(manifest.get(key), key, members);
    if (member instanceof Refusal) return member;
    if (member === 'severed') severed.push(key);
    if (member === undefined || member === 'severed' || name === 'text') continue;
    const commands = readSequence(member, { isShared: false });
    if (commands === undefined) return wrong(`its ${name} sequence is malformed`);
    sequences.set(name, commands);
  }
  return { sequence, components: common.components, sequences, referenceUri, severed };
}

function readCommon(
  bytes: Cbor | undefined,
): { components: Uint8Array[][]; shared: readonly SuitCommand[] } | Refusal {
  const common = bytes instanceof Uint8Array ? decodeCbor(bytes) : undefined;
  if (!(common instanceof CborMap)) return wrong('it has no common part');
  const isKnown = common.entries.every(
    ([key]) => key === COMMON.components || key === COMMON.sharedSequence,
  );
  if (!isKnown) return wrong('its common part has unknown members');
  const components = readComponents(common.get(COMMON.components));
  if (components === undefined) return wrong('its components are malformed, or too many');
  const sequence = common.get(COMMON.sharedSequence);
  if (sequence === undefined) return { components, shared: [] };
  const shared =
    sequence instanceof Uint8Array ? readSequence(sequence, { isShared: true }) : undefined;
  return shared === undefined ? wrong('its shared sequence is malformed') : { components, shared };
}

function readComponents(item: Cbor | undefined): Uint8Array[][] | undefined {
  if (!Array.isArray(item) || item.length === 0 || item.length > SUIT_COMPONENTS_MAX) {
    return undefined;
  }
  const paths = item.map((path: unknown) =>
    Array.isArray(path) ? path.filter((part) => part instanceof Uint8Array) : undefined,
  );
  const isWhole = paths.every(
    (path, index) => path !== undefined && path.length === item[index].length,
  );
  return isWhole ? paths.flatMap((path) => (path === undefined ? [] : [path])) : undefined;
}

/** A member that stands in the manifest, or in the envelope as its digest wants it. */
function memberOf(
  item: Cbor | undefined,
  key: number,
  members: Members,
): Uint8Array | 'severed' | undefined | Refusal {
  const outside = members.get(key);
  if (item === undefined || item instanceof Uint8Array) {
    if (outside !== undefined) return wrong(`member ${key} stands in the envelope without digest`);
    return item;
  }
  if (!SEVERABLE.includes(key) || !isDigest(item)) return wrong(`member ${key} is malformed`);
  if (outside === undefined) return 'severed';
  const fits = Buffer.compare(encodeCbor(item), outside.digest) === 0;
  return fits ? outside.bytes : wrong(`member ${key} is not the one of its digest`);
}

function isDigest(item: Cbor): boolean {
  if (!Array.isArray(item)) return false;
  const [algorithm, digest, ...more]: readonly unknown[] = item;
  return algorithm === SHA_256 && digest instanceof Uint8Array && more.length === 0;
}

function wrong(problem: string): Refusal {
  return refuse('E_UPDATE_SUIT', `This is no valid SUIT manifest: ${problem}.`);
}

const MEMBERS = [
  ['fetch', MANIFEST.fetch],
  ['install', MANIFEST.install],
  ['validate', MANIFEST.validate],
  ['load', MANIFEST.load],
  ['invoke', MANIFEST.invoke],
  ['text', MANIFEST.text],
] as const;
const KNOWN: ReadonlySet<Cbor> = new Set<Cbor>(Object.values(MANIFEST));
