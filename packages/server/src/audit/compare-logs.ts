/** Holds two copies of one log against each other. @module */
import {
  type Checkpoint,
  type CheckpointVerifier,
  HASH_BYTES,
  Problem,
  TILE_WIDTH_MAX,
  type ReadHash,
  consistencyProof,
  hashReader,
  verifyCheckpoint,
  verifyConsistency,
} from '@holdfast/protocol/merkle';
import { type LogFinding, messageOf } from './findings.ts';
import type { LogFiles } from './log-files.ts';
import { sha256 } from './log-key.ts';

/** What came of a comparison. */
export interface Comparison {
  /** Entries of the other copy. */
  readonly size: number;
  /** Why the two are no copies of one log; undefined when one of them continues the other. */
  readonly finding: LogFinding | undefined;
}

/**
 * Proves that one copy continues the other, from their newest checkpoints and their tiles. Whether
 * the tiles are those of the entries is for a verification of each copy to say.
 */
export function compareLogs(
  own: LogFiles,
  other: LogFiles,
  verifier: CheckpointVerifier,
): Comparison {
  const [ownNewest, otherNewest] = [newestOf(own, verifier), newestOf(other, verifier)];
  if (otherNewest instanceof Problem) {
    const what = `the newest checkpoint of the other copy is not valid: ${otherNewest.problem}`;
    return { size: 0, finding: { what } };
  }
  const { size } = otherNewest;
  // The verification of this copy has named it already.
  if (ownNewest instanceof Problem) return { size, finding: undefined };
  const isOwnLonger = ownNewest.size >= size;
  const [shorter, longer] = isOwnLonger ? [otherNewest, ownNewest] : [ownNewest, otherNewest];
  const longerFiles = isOwnLonger ? own : other;
  const isContinued = isConsistent(shorter, longer, readerOf(longerFiles));
  if (isContinued) return { size, finding: undefined };
  try {
    return { size, finding: differenceOf(own, other, shorter.size) };
  } catch (error) {
    return {
      size,
      finding: { what: `the hashes of one copy cannot be read: ${messageOf(error)}` },
    };
  }
}

function newestOf(files: LogFiles, verifier: CheckpointVerifier): Checkpoint | Problem {
  try {
    const stored = files.latestCheckpoint();
    if (stored === undefined) return new Problem('there is none');
    return verifyCheckpoint(sha256, stored.note, verifier);
  } catch (error) {
    return new Problem(messageOf(error));
  }
}

function readerOf(files: LogFiles): ReadHash {
  return hashReader(sha256, (level, index) => files.readTile(level, index));
}

function isConsistent(shorter: Checkpoint, longer: Checkpoint, readHash: ReadHash): boolean {
  const claim = {
    size1: shorter.size,
    root1: shorter.root,
    size2: longer.size,
    root2: longer.root,
  };
  if (claim.size1 === 0) return true;
  try {
    const proof = consistencyProof(sha256, readHash, claim);
    return verifyConsistency(sha256, { ...claim, proof });
  } catch {
    // A tile that is missing proves nothing; the search below names it.
    return false;
  }
}

function differenceOf(own: LogFiles, other: LogFiles, size: number): LogFinding {
  for (let tile = 0; tile * TILE_WIDTH_MAX < size; tile += 1) {
    const [a, b] = [own.readTile(0, tile), other.readTile(0, tile)];
    const count = Math.min(TILE_WIDTH_MAX, size - tile * TILE_WIDTH_MAX);
    for (let at = 0; at < count; at += 1) {
      if (isSameHash(a, b, at)) continue;
      const first = tile * TILE_WIDTH_MAX + at;
      const what = `are not those of the other copy: entry ${first} is the first that differs`;
      return { entries: { first, last: size - 1 }, what };
    }
  }
  const what =
    'the two copies have the same hashes and other roots: the checkpoint or a tile of one of them is wrong';
  return { what };
}

function isSameHash(a: Uint8Array | undefined, b: Uint8Array | undefined, at: number): boolean {
  const [start, end] = [at * HASH_BYTES, (at + 1) * HASH_BYTES];
  if (a === undefined || b === undefined || a.length < end || b.length < end) return false;
  return Buffer.from(a.subarray(start, end)).equals(b.subarray(start, end));
}
