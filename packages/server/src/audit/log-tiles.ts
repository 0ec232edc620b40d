/** The tree of a log that is being written, read as tiles. C2SP tlog-tiles @module */
import { HASH_BYTES, type TileName, hashReader, rootAt } from '@holdfast/protocol/merkle';
import { LogFiles } from './log-files.ts';
import { sha256 } from './log-key.ts';

/** Reads the tree beside the thread that writes it. Holds hashes only: entries are sealed. */
export class LogTiles {
  readonly #files: LogFiles;

  private constructor(files: LogFiles) {
    this.#files = files;
  }

  /** @throws Fault `E_PERSISTENCE_OPEN`. */
  static open(path: string): LogTiles {
    return new LogTiles(LogFiles.openLive(path));
  }

  /** The first hashes of a tile, as many as asked for; undefined when there are fewer. */
  read({ level, index, width }: TileName): Uint8Array | undefined {
    const hashes = this.#files.readTile(level, index);
    // A tile that was partial when a checkpoint was signed has grown since, at its end.
    if (hashes === undefined || hashes.length < width * HASH_BYTES) return undefined;
    return hashes.subarray(0, width * HASH_BYTES);
  }

  /** Root of the first `size` entries. @throws Error when a tile is missing. */
  rootAt(size: number): Uint8Array {
    return rootAt(
      sha256,
      hashReader(sha256, (level, index) => this.#files.readTile(level, index)),
      size,
    );
  }

  /** A second call does nothing. */
  close(): void {
    if (this.#files.database.isOpen) this.#files.close();
  }
}
