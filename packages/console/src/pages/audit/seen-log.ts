/** What this browser has seen of the log: public facts, kept here so that a change shows. @module */
import type { LogHead } from '../../proof/verify-tree.ts';

/** A log that was verified here. */
export interface SeenLog extends LogHead {
  /** The key that signs its checkpoints, as it was when it was seen first. */
  readonly verifierKey: string;
  /** When, in milliseconds since 1970. */
  readonly atMs: number;
}

type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>;

const KEY = 'holdfast-seen-log';

/** Reads what was seen; undefined in a browser that has verified nothing yet. */
export function readSeen(storage: Storage = localStorage): SeenLog | undefined {
  const text = storage.getItem(KEY);
  if (text === null) return undefined;
  try {
    const seen: unknown = JSON.parse(text);
    return isSeenLog(seen) ? seen : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps what was seen. */
export function keepSeen(seen: SeenLog, storage: Storage = localStorage): void {
  storage.setItem(KEY, JSON.stringify(seen));
}

/** Forgets it, after somebody has understood why the log is another one. */
export function forgetSeen(storage: Storage = localStorage): void {
  storage.removeItem(KEY);
}

function isSeenLog(value: unknown): value is SeenLog {
  if (typeof value !== 'object' || value === null) return false;
  const { size, root, verifierKey, atMs } = value as Partial<Record<keyof SeenLog, unknown>>;
  return (
    Number.isSafeInteger(size) &&
    typeof root === 'string' &&
    typeof verifierKey === 'string' &&
    typeof atMs === 'number'
  );
}
