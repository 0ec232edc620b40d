/** Reads what a former process has left in the store of a device. @module */
import { lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { requirePrivateFolder } from '../private-file.ts';
import { type Segment, readSegment, segmentNumber, segmentOf } from './segment.ts';
import { storeError } from './store-error.ts';
import type { StoreKey } from './store-key.ts';
import { type Progress, type StoredMessage, decodeRecord } from './stored-message.ts';

/** A message that is in a segment, and waits. */
export interface Entry {
  readonly counter: number;
  /** Of its payload. */
  readonly bytes: number;
  readonly segment: Segment;
  /** Undefined while it is only on the disk. */
  message?: StoredMessage;
  /** A connection that has ended had sent it. */
  wasSent: boolean;
}

/** What was found. */
export interface FoundMessages extends Progress {
  /** In the order of their counters; none is in memory. */
  readonly entries: Entry[];
  /** Number of the next segment. */
  readonly nextNumber: number;
  /** Bytes that a crash has torn off: of messages that were never reported as stored. */
  readonly tornBytes: number;
  /** Records that do not open. */
  readonly damagedCount: number;
}

/** Makes the folder of a store, mode 0700, or checks that it is. */
export function makeStoreFolder(folder: string): void {
  try {
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) {
      mkdirSync(folder, { mode: 0o700 });
    }
  } catch (cause) {
    throw storeError(`${folder} cannot be made`, cause);
  }
  requirePrivateFolder(folder);
}

/**
 * Reads all segments of a folder, and removes those that are done with.
 * @throws DeviceError `E_DEVICE_STORE`, also when nothing opens: the key is another one
 */
export function readMessages(folder: string, storeKey: StoreKey): FoundMessages {
  try {
    return readAll(folder, storeKey);
  } catch (cause) {
    throw storeError(`${folder} cannot be read`, cause);
  }
}

/** The messages of one segment, by their counters. */
export function readBack(segment: Segment, storeKey: StoreKey): Map<number, StoredMessage> {
  try {
    const messages = new Map<number, StoredMessage>();
    for (const record of readSegment(segment, storeKey).records) {
      const message = decodeRecord(record);
      if (message !== undefined && 'payload' in message) messages.set(message.counter, message);
    }
    return messages;
  } catch (cause) {
    throw storeError(`${segment.path} cannot be read`, cause);
  }
}

function readAll(folder: string, storeKey: StoreKey): FoundMessages {
  const numbers = readdirSync(folder)
    .map(segmentNumber)
    .filter((number) => number !== undefined)
    .toSorted((a, b) => a - b);
  const segments = numbers.map((number) => segmentOf(folder, number));
  const found: Entry[] = [];
  const total = { doneUpTo: 0, tornBytes: 0, damagedCount: 0, openedCount: 0 };
  for (const segment of segments) {
    const { records, tornBytes, damagedCount } = readSegment(segment, storeKey);
    total.tornBytes += tornBytes;
    total.damagedCount += damagedCount;
    total.openedCount += records.length;
    for (const record of records) take(record, { segment, found, total });
  }
  // Of another key, or all of it changed: to go on would be to forget it without a word.
  if (total.damagedCount > 0 && total.openedCount === 0) throw new Error('no record opens');
  const { doneUpTo, tornBytes, damagedCount } = total;
  const entries = found.filter(({ counter }) => counter > doneUpTo);
  for (const { segment } of entries) segment.liveCount += 1;
  for (const { path, liveCount } of segments) if (liveCount === 0) unlinkSync(path);
  const nextNumber = (numbers.at(-1) ?? 0) + 1;
  return { entries, doneUpTo, tornBytes, damagedCount, nextNumber };
}

function take(
  record: Buffer,
  {
    segment,
    found,
    total,
  }: {
    segment: Segment;
    found: Entry[];
    total: { doneUpTo: number; damagedCount: number };
  },
): void {
  const decoded = decodeRecord(record);
  if (decoded === undefined) {
    total.damagedCount += 1;
  } else if ('payload' in decoded) {
    const { counter, payload } = decoded;
    found.push({ counter, bytes: payload.length, segment, wasSent: false });
  } else {
    total.doneUpTo = Math.max(total.doneUpTo, decoded.doneUpTo);
  }
}
