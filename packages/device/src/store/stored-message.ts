/** What stands in the records of a segment. @module */

/** A message as it will be sent, however late. */
export interface StoredMessage {
  readonly counter: number;
  /** The whole topic name. */
  readonly topic: string;
  readonly retain: boolean;
  /** Signed, with the counter and the time of its making in it. */
  readonly payload: Uint8Array;
}

/** How far the messages are done with: delivered, refused or dropped. */
export interface Progress {
  /** All counters up to here. */
  readonly doneUpTo: number;
}

/** The record of a message: kind, retain, counter, length of the topic, topic, payload. */
export function encodeMessage({ counter, topic, retain, payload }: StoredMessage): Buffer {
  const topicBytes = Buffer.from(topic, 'utf8');
  const head = Buffer.alloc(MESSAGE_HEAD_BYTES);
  head.writeUInt8(MESSAGE, 0);
  head.writeUInt8(retain ? 1 : 0, 1);
  head.writeBigUInt64BE(BigInt(counter), 2);
  head.writeUInt16BE(topicBytes.length, 10);
  return Buffer.concat([head, topicBytes, payload]);
}

/** The record that says how far the messages are done with. */
export function encodeProgress({ doneUpTo }: Progress): Buffer {
  const record = Buffer.alloc(PROGRESS_BYTES);
  record.writeUInt8(PROGRESS, 0);
  record.writeBigUInt64BE(BigInt(doneUpTo), 1);
  return record;
}

/** Reads a record that was opened; undefined for one of a form that is not known. */
export function decodeRecord(record: Buffer): StoredMessage | Progress | undefined {
  if (record[0] === PROGRESS && record.length === PROGRESS_BYTES) {
    return { doneUpTo: Number(record.readBigUInt64BE(1)) };
  }
  if (record[0] !== MESSAGE || record.length < MESSAGE_HEAD_BYTES) return undefined;
  const topicEnd = MESSAGE_HEAD_BYTES + record.readUInt16BE(10);
  if (topicEnd > record.length) return undefined;
  return {
    counter: Number(record.readBigUInt64BE(2)),
    topic: record.toString('utf8', MESSAGE_HEAD_BYTES, topicEnd),
    retain: record[1] === 1,
    payload: record.subarray(topicEnd),
  };
}

const MESSAGE = 1;
const PROGRESS = 2;
const MESSAGE_HEAD_BYTES = 12;
const PROGRESS_BYTES = 9;
