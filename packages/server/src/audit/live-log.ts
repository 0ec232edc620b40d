/** The log as another thread reads it while it is written. @module */
import { LogFiles } from './log-files.ts';
import { type FindKey, type ForwardPage, LogReader } from './log-reader.ts';
import { SegmentIndex } from './segment-index.ts';

/** A log that is read from its beginning to its end, and on from there as it grows. */
export class LiveLog {
  readonly #files: LogFiles;
  readonly #reader: LogReader;

  /** Opens the log of a server that runs in this process. */
  constructor(path: string) {
    this.#files = LogFiles.openLive(path);
    this.#reader = new LogReader(this.#files, new SegmentIndex(this.#files));
  }

  /** Entries that are durable now. */
  get size(): number {
    return this.#files.latestCheckpoint()?.size ?? 0;
  }

  /** See {@link LogReader.readForwards}. */
  readForwards(
    page: { readonly from: number; readonly to: number; readonly bytesMin: number },
    findKey: FindKey,
  ): ForwardPage {
    return this.#reader.readForwards(page, findKey);
  }

  close(): void {
    this.#files.close();
  }
}
