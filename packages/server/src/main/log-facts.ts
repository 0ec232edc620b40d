/** What a log says of itself and of the registry, read before or without opening it to write. @module */
import { type Entry, decodeEntry } from '@holdfast/protocol';
import { hashReader, rootAt } from '@holdfast/protocol/merkle';
import {
  type LogFiles,
  LogReader,
  type RollbackFacts,
  SegmentIndex,
  generationIn,
  sha256,
} from '../audit/index.ts';
import type { Keyring } from '../persistence/index.ts';

/** The newest act or event of a log. */
export interface NewestAct {
  readonly index: number;
  readonly entry: Pick<Entry, 'topic' | 'atMs'>;
}

/** What is needed of a log to hold it against the registry. */
export interface LogFacts {
  readonly log: RollbackFacts['log'];
  /** Undefined on a new log, and where it cannot be read. */
  readonly newest: NewestAct | undefined;
}

/** Reads the facts. What is damaged in the log is named by its verification, not here. */
export function logFacts(files: LogFiles, keyring: Keyring): LogFacts {
  const readHash = hashReader(sha256, (level, index) => files.readTile(level, index));
  const newest = newestAct(files, keyring);
  const log = {
    size: files.latestCheckpoint()?.size ?? 0,
    rootAt: (size: number) => rootAt(sha256, readHash, size),
    generation: newest && generationIn(newest.entry),
  };
  return { log, newest };
}

function newestAct(
  files: LogFiles,
  keyring: Keyring,
): { readonly index: number; readonly entry: Entry } | undefined {
  const page = { before: Number.MAX_SAFE_INTEGER, limit: 1 };
  try {
    const reader = new LogReader(files, new SegmentIndex(files));
    // The newest key may have sealed nothing yet: its turn came a moment ago.
    for (const { ref: keyRef, key } of keyring.all('acts')) {
      const [newest] = reader.readBackwards({ keyRef, key: key.expose() }, page);
      const entry = newest && decodeEntry(newest.record);
      if (newest !== undefined && entry !== undefined) return { index: newest.index, entry };
    }
    return undefined;
  } catch {
    return undefined;
  }
}
