/** The tree of a log that is being written, read as tiles. C2SP tlog-tiles @module */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { HASH_BYTES, type TileName, hashReader, rootAt } from '@holdfast/protocol/merkle';
import { openReader } from '../persistence/index.ts';
import { sha256 } from './log-key.ts';

/** Reads the tree beside the thread that writes it. Holds hashes only: entries are sealed. */
export class LogTiles {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare('SELECT hashes FROM tile WHERE level = ? AND position = ?');
  }

  /** @throws Fault `E_PERSISTENCE_OPEN`. */
  static open(path: string): LogTiles {
    return new LogTiles(openReader(path));
  }

  /** The first hashes of a tile, as many as asked for; undefined when there are fewer. */
  read({ level, index, width }: TileName): Uint8Array | undefined {
    const hashes = this.#stored(level, index);
    // A tile that was partial when a checkpoint was signed has grown since, at its end.
    if (hashes === undefined || hashes.length < width * HASH_BYTES) return undefined;
    return hashes.subarray(0, width * HASH_BYTES);
  }

  /** Root of the first `size` entries. @throws Error when a tile is missing. */
  rootAt(size: number): Uint8Array {
    return rootAt(
      sha256,
      hashReader(sha256, (level, index) => this.#stored(level, index)),
      size,
    );
  }

  /** A second call does nothing. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #stored(level: number, index: number): Uint8Array | undefined {
    const hashes = this.#select.get(level, index)?.['hashes'];
    return hashes instanceof Uint8Array ? hashes : undefined;
  }
}
