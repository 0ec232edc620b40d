/** Holds the leaves of a log against its stored tiles and its signed checkpoints. @module */
import {
  type Checkpoint,
  type CheckpointVerifier,
  HASH_BYTES,
  Problem,
  TILE_LEVEL_COUNT,
  TILE_WIDTH_MAX,
  hashReader,
  rootAt,
  tileHashCount,
  verifyCheckpoint,
} from '@holdfast/protocol/merkle';
import type { Findings } from './findings.ts';
import type { LogFiles, StoredCheckpoint } from './log-files.ts';
import { sha256 } from './log-key.ts';
import { type BinaryHash, RunningTree, TileInProgress } from './running-tree.ts';

/** What {@link TreeCheck} needs. */
export interface TreeCheckOptions {
  readonly files: LogFiles;
  readonly verifier: CheckpointVerifier;
  readonly findings: Findings;
  /** Where to begin: a checkpoint that was found good before. */
  readonly since: Checkpoint | undefined;
  /** A checkpoint that was kept elsewhere: the log must go on from it. */
  readonly against: Checkpoint | undefined;
}

/** Stands for a leaf of which neither the entry nor the hash is left; no root can match it. */
const UNKNOWN_HASH: BinaryHash = '\0'.repeat(HASH_BYTES);

/** The tree of one log, as its leaves give it. */
export class TreeCheck {
  /** Size of the log by its latest valid checkpoint: the number of entries that must be there. */
  readonly logSize: number;
  readonly #options: TreeCheckOptions;
  readonly #findings: Findings;
  readonly #tree: RunningTree;
  readonly #tiles = Array.from({ length: TILE_LEVEL_COUNT }, () => new TileInProgress());
  readonly #leafTile: TileInProgress;
  #storedLeafTile: { readonly index: number; readonly hashes: Buffer | undefined } | undefined;
  readonly #latest: { readonly storedSize: number; readonly checkpoint: Checkpoint } | undefined;
  /** The next stored checkpoint that is to be checked, when the leaves reach it. */
  #due: StoredCheckpoint | undefined;
  #againstSize: number;
  #checkpointCount = 0;

  constructor(options: TreeCheckOptions) {
    const { findings, since, against } = options;
    this.#options = options;
    this.#findings = findings;
    this.#tree = new RunningTree((level, _index, hash) => this.#putHash(level, hash));
    const [leafTile] = this.#tiles;
    if (leafTile === undefined) throw new Error('a tree has a level of leaves');
    this.#leafTile = leafTile;
    this.#latest = findings.attempt('the checkpoints', undefined, () => this.#latestValid());
    this.logSize = this.#latest?.checkpoint.size ?? 0;
    this.#againstSize = against?.size ?? -1;
    if (since !== undefined) this.#restore(since);
    this.#due = this.#checkpointFrom(since === undefined ? 0 : since.size + 1);
    this.#checkDue();
  }

  /** Leaves so far, those before `since` among them. */
  get size(): number {
    return this.#tree.size;
  }

  /** Checkpoints so far with a valid signature and the right root. */
  get checkpointCount(): number {
    return this.#checkpointCount;
  }

  /** Root of the leaves so far, lower-case hex. */
  get rootHex(): string {
    return Buffer.from(this.#tree.root(), 'latin1').toString('hex');
  }

  /** Takes the next leaf. */
  append(leaf: BinaryHash): void {
    this.#tree.append(leaf);
    if (this.#leafTile.add(leaf)) this.#closeTile(0, this.#leafTile);
    const { size } = this.#tree;
    if (size === this.#due?.size || size === this.#againstSize) this.#checkDue();
  }

  /**
   * Takes the stored hash for a leaf whose entry is gone, so that what follows can be judged.
   * @returns whether there is one.
   */
  appendStored(): boolean {
    const stored = this.#storedLeafHash(this.size);
    this.append(stored ?? UNKNOWN_HASH);
    return stored !== undefined;
  }

  /** Checks what could not be checked before all leaves were there. */
  finish(): void {
    const { files, against } = this.#options;
    const places = this.#findings.attempt('the tiles', [], () => files.tilePlaces());
    for (const { level, index, width } of places) {
      const rest = tileHashCount(level, this.logSize) - index * TILE_WIDTH_MAX;
      const wanted = Math.min(TILE_WIDTH_MAX, rest);
      const isOfTree = level >= 0 && index >= 0 && wanted > 0;
      if (!isOfTree) this.#findings.add(`tile ${index} of level ${level} belongs to no tree`);
      if (!isOfTree || width === wanted) continue;
      this.#findings.add(
        `tile ${index} of level ${level} holds ${width} hashes instead of ${wanted}`,
      );
    }
    for (const [level, tile] of this.#tiles.entries()) {
      if (tile.width > 0) this.#checkTile(level, tile);
    }
    for (let left = this.#due; left !== undefined; left = this.#checkpointFrom(left.size + 1)) {
      this.#checkSignature(left);
    }
    if (against === undefined || against.size <= this.logSize) return;
    this.#findings.add(
      `the checkpoint that was given is of size ${against.size}, and this log ends before: it is an older copy, or its end was cut off`,
      this.logSize,
      against.size - 1,
    );
  }

  #closeTile(level: number, tile: TileInProgress): void {
    this.#checkTile(level, tile);
    tile.next();
  }

  #putHash(level: number, hash: BinaryHash): void {
    const tile = this.#tiles[level];
    if (tile?.add(hash) === true) this.#closeTile(level, tile);
  }

  #checkTile(level: number, tile: TileInProgress): void {
    const { index, filled } = tile;
    const stored = level === 0 ? this.#leafTileAt(index) : this.#readTile(level, index);
    const isSame = stored?.subarray(0, filled.length).equals(filled) === true;
    if (isSame) return;
    if (level === 0) {
      this.#nameLeaves(index, filled, stored);
      return;
    }
    const span = TILE_WIDTH_MAX ** level;
    const first = index * TILE_WIDTH_MAX * span;
    const last = Math.min(first + tile.width * span, this.logSize) - 1;
    const what = `have a changed hash above them (tile ${index} of level ${level})`;
    this.#findings.add(what, first, last);
  }

  #nameLeaves(tileIndex: number, computed: Buffer, stored: Buffer | undefined): void {
    for (let at = 0; at < computed.length; at += HASH_BYTES) {
      const own = computed.subarray(at, at + HASH_BYTES);
      if (stored?.subarray(at, at + HASH_BYTES).equals(own) === true) continue;
      const entry = tileIndex * TILE_WIDTH_MAX + at / HASH_BYTES;
      this.#findings.add('does not match its hash in the tree', entry);
    }
  }

  #storedLeafHash(index: number): BinaryHash | undefined {
    const tile = this.#leafTileAt(Math.floor(index / TILE_WIDTH_MAX));
    const at = (index % TILE_WIDTH_MAX) * HASH_BYTES;
    if (tile === undefined || tile.length < at + HASH_BYTES) return undefined;
    return tile.toString('latin1', at, at + HASH_BYTES);
  }

  #leafTileAt(index: number): Buffer | undefined {
    if (this.#storedLeafTile?.index !== index) {
      this.#storedLeafTile = { index, hashes: this.#readTile(0, index) };
    }
    return this.#storedLeafTile.hashes;
  }

  #readTile(level: number, index: number): Buffer | undefined {
    const bytes = this.#findings.attempt(`tile ${index} of level ${level}`, undefined, () =>
      this.#options.files.readTile(level, index),
    );
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Takes up the tree at a checkpoint out of the tiles, when they give its root. */
  #restore({ size, root }: Checkpoint): void {
    if (size > this.logSize) {
      this.#findings.add(
        `the checkpoint to begin at is of size ${size}, and this log ends before: it is an older copy, or its end was cut off`,
        this.logSize,
        size - 1,
      );
      return;
    }
    const readHash = hashReader(sha256, (level, index) => this.#readTile(level, index));
    const peaks: Uint8Array[] = [];
    try {
      for (let at = 0; at < size;) {
        const level = highestLevel(size - at);
        peaks.push(readHash(level, at / 2 ** level));
        at += 2 ** level;
      }
    } catch (error) {
      this.#findings.add(`the tree before entry ${size} cannot be read: ${String(error)}`);
      return;
    }
    this.#tree.restore(size, peaks);
    if (this.#tree.root() !== Buffer.from(root).toString('latin1')) {
      this.#findings.add(
        'are not those that the checkpoint to begin at was made of',
        0,
        Math.max(0, size - 1),
      );
    }
    for (const [level, tile] of this.#tiles.entries()) {
      const count = tileHashCount(level, size);
      tile.index = Math.floor(count / TILE_WIDTH_MAX);
      tile.width = count % TILE_WIDTH_MAX;
      if (tile.width > 0) tile.hashes.set(this.#storedPart(level, tile));
    }
  }

  #storedPart(level: number, { index, width }: TileInProgress): Uint8Array {
    return this.#readTile(level, index)?.subarray(0, width * HASH_BYTES) ?? new Uint8Array(0);
  }

  /** The latest checkpoint that the key signed; names those behind it that it did not sign. */
  #latestValid(): { storedSize: number; checkpoint: Checkpoint } | undefined {
    const { files } = this.#options;
    let stored = files.latestCheckpoint();
    while (stored !== undefined) {
      const checkpoint = this.#checkSignature(stored);
      if (checkpoint !== undefined) return { storedSize: stored.size, checkpoint };
      stored = files.checkpointBefore(stored.size);
    }
    return undefined;
  }

  #checkpointFrom(size: number): StoredCheckpoint | undefined {
    // Those behind the latest valid one were named when it was searched for.
    if (size > (this.#latest?.storedSize ?? -1)) return undefined;
    const read = (): StoredCheckpoint | undefined => this.#options.files.checkpointFrom(size);
    return this.#findings.attempt('the checkpoints', undefined, read);
  }

  #checkDue(): void {
    const { against } = this.#options;
    const { size } = this.#tree;
    if (against !== undefined && size >= this.#againstSize && this.#againstSize >= 0) {
      this.#againstSize = -1;
      this.#checkAgainst(against);
    }
    while (this.#due !== undefined && this.#due.size <= size) {
      const stored = this.#due;
      const checkpoint = this.#checkSignature(stored);
      if (checkpoint?.size === stored.size) this.#checkRoot(checkpoint);
      this.#due = this.#checkpointFrom(stored.size + 1);
    }
  }

  #checkSignature(stored: StoredCheckpoint): Checkpoint | undefined {
    if (stored.size === this.#latest?.storedSize) return this.#latest.checkpoint;
    const { size, note } = stored;
    const checked = verifyCheckpoint(sha256, note, this.#options.verifier);
    if (checked instanceof Problem) {
      this.#findings.add(`the checkpoint at size ${size} is not valid: ${checked.problem}`);
      return undefined;
    }
    if (checked.size !== size) {
      this.#findings.add(`the checkpoint stored for size ${size} is of size ${checked.size}`);
    }
    return checked;
  }

  #checkRoot({ size, root }: Checkpoint): void {
    if (this.#tree.root() === Buffer.from(root).toString('latin1')) this.#checkpointCount += 1;
    else {
      this.#findings.add(
        `the checkpoint at size ${size} has another root than the entries before it`,
      );
    }
  }

  #checkAgainst({ size, root }: Checkpoint): void {
    const own =
      size === this.#tree.size
        ? Buffer.from(this.#tree.root(), 'latin1')
        : this.#findings.attempt('the tree', undefined, () =>
            rootAt(
              sha256,
              hashReader(sha256, (level, index) => this.#readTile(level, index)),
              size,
            ),
          );
    if (own !== undefined && Buffer.from(root).equals(own)) return;
    this.#findings.add(
      'are not those that the checkpoint that was given was made of: the log was rewritten',
      0,
      Math.max(0, size - 1),
    );
  }
}

function highestLevel(width: number): number {
  let level = 0;
  while (2 ** (level + 1) <= width) level += 1;
  return level;
}
