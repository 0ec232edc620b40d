/** Makes evidence: one entry, the acts that tell whose it is, and proofs that a checkpoint has them. @module */
import { type Entry, decodeEntry } from '@holdfast/protocol';
import type { Evidence, ProvenLeaf } from '@holdfast/protocol/api';
import {
  Problem,
  hashReader,
  inclusionProof,
  parseCheckpoint,
  rootAt,
} from '@holdfast/protocol/merkle';
import { EVIDENCE_ACTS_MAX } from './limits.ts';
import type { LogFiles } from './log-files.ts';
import { sha256 } from './log-key.ts';
import { LogReader } from './log-reader.ts';
import { SegmentIndex } from './segment-index.ts';
import { LEAF_PREFIX_BYTES, openSegment, splitSegments } from './segment.ts';

/** Acts that are read at a time on the way back to those of the device. */
const PAGE_ENTRIES = 1_000;
/** The act with which a device begins: what comes before it is about another one of that id. */
const FIRST_ACT = 'device.add';

/** Which entry is to be proven. */
export interface ProofWish {
  readonly index: number;
  readonly deviceId: string;
  /** Numbers of the data keys that seal what the device sends. */
  readonly contentKeyRefs: readonly number[];
  /** Numbers of the data keys that seal acts. */
  readonly actKeyRefs: readonly number[];
  /** A checkpoint to prove by, such as one that a witness has signed; else the newest one. */
  readonly checkpoint?: { readonly size: number; readonly note: string } | undefined;
}

/** What {@link proveEntry} reads. */
export interface ProveSource {
  readonly files: LogFiles;
  readonly keyOf: (keyRef: number) => Uint8Array | undefined;
}

/** Evidence without what the log does not have: the key, and the certificates of authorities. */
export type LogEvidence = Pick<Evidence, 'checkpoint' | 'reading' | 'acts' | 'actsLeftOut'>;

/** Proves an entry of a device; undefined when it is none of that device, or is gone. */
export function proveEntry(wish: ProofWish, source: ProveSource): LogEvidence | undefined {
  const { files } = source;
  const newest = files.latestCheckpoint();
  if (newest === undefined || newest.size <= wish.index) return undefined;
  const readHash = hashReader(sha256, (level, index) => files.readTile(level, index));
  const isOurs = (size: number, note: string): boolean => {
    const parsed = size <= newest.size ? parseCheckpoint(note) : undefined;
    if (parsed === undefined || parsed instanceof Problem) return false;
    return Buffer.from(parsed.root).equals(rootAt(sha256, readHash, size));
  };
  const { checkpoint: wanted } = wish;
  // A log that was set back, and so accepted, has not got what a witness has seen of it before.
  const fits = wanted !== undefined && wanted.size > wish.index && isOurs(wanted.size, wanted.note);
  const checkpoint = fits ? wanted : newest;
  const leafOf = (index: number, keyRefs: readonly number[]): Uint8Array | undefined =>
    readLeaf(index, keyRefs, source);
  const leaf = leafOf(wish.index, wish.contentKeyRefs);
  const entry = leaf && decodeEntry(leaf.subarray(LEAF_PREFIX_BYTES));
  if (leaf === undefined || entry?.kind !== 'message') return undefined;
  if (entry.principal !== wish.deviceId) return undefined;

  const { size } = checkpoint;
  const prove = (index: number, preimage: Uint8Array): ProvenLeaf => ({
    index,
    // The first byte of the preimage is the same for every leaf.
    leaf: Buffer.from(preimage.subarray(1)).toString('base64'),
    proof: inclusionProof(sha256, readHash, { index, size }).map((hash) =>
      Buffer.from(hash).toString('base64'),
    ),
  });
  const { indexes, leftOut } = actsBefore(wish, source);
  const acts = indexes.flatMap((index) => {
    const act = leafOf(index, wish.actKeyRefs);
    return act === undefined ? [] : [prove(index, act)];
  });
  return {
    checkpoint: checkpoint.note,
    reading: prove(wish.index, leaf),
    acts,
    actsLeftOut: leftOut,
  };
}

function readLeaf(
  index: number,
  keyRefs: readonly number[],
  { files, keyOf }: ProveSource,
): Uint8Array | undefined {
  const batch = files.batchAt(index);
  if (batch === undefined || index >= batch.first + batch.count) return undefined;
  for (const { keyRef, sealed } of splitSegments(batch.sealed) ?? []) {
    if (!keyRefs.includes(keyRef) || sealed.length === 0) continue;
    const key = keyOf(keyRef);
    if (key === undefined) continue;
    const place = { batchFirst: batch.first, keyRef };
    for (const { position, leafPreimage } of openSegment(sealed, { place, key }).entries) {
      if (batch.first + position === index) return leafPreimage;
    }
  }
  return undefined;
}

/** Indexes of the acts about the device before the entry, oldest first. */
function actsBefore(
  { index, deviceId, actKeyRefs }: ProofWish,
  { files, keyOf }: ProveSource,
): { indexes: number[]; leftOut: boolean } {
  const reader = new LogReader(files, new SegmentIndex(files));
  const found: number[] = [];
  for (const keyRef of actKeyRefs) {
    const key = keyOf(keyRef);
    if (key === undefined) continue;
    found.push(...actsUnder({ keyRef, key }, { reader, index, deviceId }));
  }
  const newestFirst = found.sort((a, b) => b - a);
  return {
    indexes: newestFirst.slice(0, EVIDENCE_ACTS_MAX).reverse(),
    leftOut: newestFirst.length > EVIDENCE_ACTS_MAX,
  };
}

function actsUnder(
  key: { keyRef: number; key: Uint8Array },
  { reader, index, deviceId }: { reader: LogReader; index: number; deviceId: string },
): number[] {
  const found: number[] = [];
  const name = Buffer.from(JSON.stringify(deviceId));
  let before = index;
  for (;;) {
    const page = reader.readBackwards(key, { before, limit: PAGE_ENTRIES });
    for (const { index: at, record } of page) {
      before = at;
      // Most acts are about others: those need not be parsed.
      if (!record.includes(name)) continue;
      const entry = decodeEntry(record);
      if (entry === undefined || targetOf(entry) !== deviceId) continue;
      found.push(at);
      if (entry.topic === FIRST_ACT || found.length > EVIDENCE_ACTS_MAX) return found;
    }
    if (page.length < PAGE_ENTRIES) return found;
  }
}

function targetOf({ kind, body }: Entry): unknown {
  if (kind !== 'act') return undefined;
  try {
    const content: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    const hasTarget = typeof content === 'object' && content !== null && 'target' in content;
    return hasTarget ? content.target : undefined;
  } catch {
    return undefined;
  }
}
