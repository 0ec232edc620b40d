/** Whether one checkpoint of a log is the continuation of another. @module */
import {
  HASH_BYTES,
  TILE_WIDTH_MAX,
  consistencyProof,
  hashReader,
  tileHashCount,
  verifyConsistency,
} from '@holdfast/protocol/merkle';
import type { CheckpointBody, TileName } from '@holdfast/protocol/merkle';
import { sha256 } from '../note-crypto.ts';

/** Gives a tile of the later checkpoint's tree; undefined when there is none. */
export type FetchTile = (name: TileName) => Promise<Uint8Array | undefined>;

/** Why a log is not the continuation of what a witness has seen. */
export interface Alarm {
  readonly name: 'rolled-back' | 'split-view' | 'no-proof';
  /** In plain words, a whole sentence. */
  readonly what: string;
}

/** The part of a checkpoint that counts here. */
type Head = Pick<CheckpointBody, 'size' | 'root'>;

/** Checks that a log has only grown between two of its checkpoints. @returns an alarm otherwise. */
export async function judgeGrowth(
  before: Head,
  now: Head,
  fetchTile: FetchTile,
): Promise<Alarm | undefined> {
  if (now.size < before.size) {
    const what = `The log has ${now.size} entries, and it had ${before.size}: it was set back.`;
    return { name: 'rolled-back', what };
  }
  if (now.size === before.size) {
    return Buffer.from(now.root).equals(before.root) ? undefined : splitView(before);
  }
  const proof = await provenBy(fetchTile, before.size, now.size);
  if (proof === undefined) {
    const what = `The server does not prove that its ${now.size} entries begin with the ${before.size} before.`;
    return { name: 'no-proof', what };
  }
  const claim = { size1: before.size, root1: before.root, size2: now.size, root2: now.root, proof };
  return verifyConsistency(sha256, claim) ? undefined : splitView(before);
}

function splitView({ size }: Head): Alarm {
  const what = `The first ${size} entries of the log are not those that were there before: it was rewritten.`;
  return { name: 'split-view', what };
}

/** Makes the proof out of tiles, which are fetched one by one as it needs them. */
async function provenBy(
  fetchTile: FetchTile,
  size1: number,
  size2: number,
): Promise<Uint8Array[] | undefined> {
  const tiles = new Map<string, Uint8Array>();
  for (;;) {
    let missing: TileName | undefined;
    const readHash = hashReader(sha256, (level, index) => {
      const tile = tiles.get(`${level}/${index}`);
      if (tile === undefined) missing = nameAt(level, index, size2);
      return tile;
    });
    try {
      return consistencyProof(sha256, readHash, { size1, size2 });
    } catch (error) {
      if (missing === undefined) throw error;
    }
    const tile = await fetchTile(missing);
    if (tile?.length !== missing.width * HASH_BYTES) return undefined;
    tiles.set(`${missing.level}/${missing.index}`, tile);
  }
}

function nameAt(level: number, index: number, size: number): TileName {
  const width = Math.min(TILE_WIDTH_MAX, tileHashCount(level, size) - index * TILE_WIDTH_MAX);
  return { level, index, width };
}
