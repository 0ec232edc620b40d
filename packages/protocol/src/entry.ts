/** The entry of the audit log: what a leaf of the Merkle tree commits to. @module */

/** What an entry records: a verified message, an act of somebody, a refusal, or a fact of the server. */
export type EntryKind = 'message' | 'act' | 'refusal' | 'event';

/** One entry of the audit log. */
export interface Entry {
  readonly kind: EntryKind;
  /** When the server took it in; milliseconds since 1970. */
  readonly atMs: number;
  /** Who: device id, `person:<name>`, `server`; empty when unknown. At most 65,535 bytes of UTF-8. */
  readonly principal: string;
  /** Topic name of a message, name of an act or event, code of a refusal. At most 65,535 bytes. */
  readonly topic: string;
  /** Key id that signed a message, `epoch.generation`; empty elsewhere. At most 255 bytes. */
  readonly kid: string;
  /** Exact payload of a message; JSON text elsewhere. */
  readonly body: Uint8Array;
}

/** Random bytes before each entry in its leaf: without them a leaf hash could be guessed open. */
export const SALT_BYTES = 16;

const FORMAT_VERSION = 1;
const KINDS: readonly EntryKind[] = ['message', 'act', 'refusal', 'event'];
const FIXED_BYTES = 1 + 1 + 8 + 2 + 2 + 1;
const TEXT_ENCODER = new TextEncoder();
const TEXT_DECODER = new TextDecoder('utf-8', { fatal: true });

/** Bytes that {@link writeEntry} may need at most for this entry. */
export function entryBytesMax({ principal, topic, kid, body }: Entry): number {
  return FIXED_BYTES + 3 * (principal.length + topic.length + kid.length) + body.length;
}

/**
 * Writes an entry at `offset`: version, kind, time (64 bit), then principal, topic and key id, each
 * behind its length (16, 16 and 8 bit), then the body; numbers are big-endian.
 * @returns the offset behind the entry.
 */
export function writeEntry(target: Uint8Array, offset: number, entry: Entry): number {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint8(offset, FORMAT_VERSION);
  view.setUint8(offset + 1, KINDS.indexOf(entry.kind));
  view.setBigUint64(offset + 2, BigInt(entry.atMs));
  let at = offset + 10;
  at = writeText(target, at, entry.principal, (length) => view.setUint16(at, length), 2);
  at = writeText(target, at, entry.topic, (length) => view.setUint16(at, length), 2);
  at = writeText(target, at, entry.kid, (length) => view.setUint8(at, length), 1);
  target.set(entry.body, at);
  return at + entry.body.length;
}

/** An entry on its own. */
export function encodeEntry(entry: Entry): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(entryBytesMax(entry));
  return target.slice(0, writeEntry(target, 0, entry));
}

/** Reads an entry; undefined when the bytes are none. */
export function decodeEntry(bytes: Uint8Array): Entry | undefined {
  if (bytes.length < FIXED_BYTES || bytes[0] !== FORMAT_VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = KINDS[view.getUint8(1)];
  const atMs = Number(view.getBigUint64(2));
  const principalEnd = 12 + view.getUint16(10);
  if (kind === undefined || principalEnd + 2 > bytes.length) return undefined;
  const topicEnd = principalEnd + 2 + view.getUint16(principalEnd);
  if (topicEnd + 1 > bytes.length) return undefined;
  const kidEnd = topicEnd + 1 + view.getUint8(topicEnd);
  if (kidEnd > bytes.length) return undefined;
  try {
    return {
      kind,
      atMs,
      principal: TEXT_DECODER.decode(bytes.subarray(12, principalEnd)),
      topic: TEXT_DECODER.decode(bytes.subarray(principalEnd + 2, topicEnd)),
      kid: TEXT_DECODER.decode(bytes.subarray(topicEnd + 1, kidEnd)),
      body: bytes.subarray(kidEnd),
    };
  } catch {
    return undefined;
  }
}

function writeText(
  target: Uint8Array,
  at: number,
  text: string,
  writeLength: (length: number) => void,
  lengthBytes: number,
): number {
  const start = at + lengthBytes;
  const { read, written } = TEXT_ENCODER.encodeInto(text, target.subarray(start));
  if (read !== text.length || written >= 2 ** (8 * lengthBytes)) {
    throw new RangeError('a text of an audit entry is too long');
  }
  writeLength(written);
  return start + written;
}
