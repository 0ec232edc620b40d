/** The entry of the audit log: what a leaf of the Merkle tree commits to. @module */

/** What an entry records: a verified message, an act of somebody, a refusal, or a fact of the server. */
export type EntryKind = 'message' | 'act' | 'refusal' | 'event';

/** One entry of the audit log. What is optional belongs to messages. */
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
  /** As it was published; 0 when absent. */
  readonly qos?: 0 | 1 | 2;
  /** Whether it is to be retained; false when absent. */
  readonly retain?: boolean;
  /** How long it may be delivered, in seconds after `atMs`, 0 to 2^32 - 1; absent for ever. */
  readonly expiryS?: number | undefined;
  /** Encoded properties for its receivers, see `encodeForwarded`; none when absent. */
  readonly properties?: Uint8Array;
}

/** Random bytes before each entry in its leaf: without them a leaf hash could be guessed open. */
export const SALT_BYTES = 16;

const FORMAT_VERSION = 2;
const KINDS: readonly EntryKind[] = ['message', 'act', 'refusal', 'event'];
const FIXED_BYTES = 1 + 1 + 8 + 2 + 2 + 1;
const EXPIRY_BYTES = 4;
const PROPERTIES_HEADER_BYTES = 4;
const TEXT_ENCODER = new TextEncoder();
// A byte order mark at the front of a topic belongs to its name. [MQTT-1.5.4-3]
const TEXT_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NO_BYTES = new Uint8Array(0);

/** Bits of the second byte: kind, QoS, then what there is. The highest is always 0. */
const KIND_MASK = 0b11;
const QOS_SHIFT = 2;
const QOS_MASK = 0b11;
const RETAIN_BIT = 1 << 4;
const EXPIRY_BIT = 1 << 5;
const PROPERTIES_BIT = 1 << 6;
const UNUSED_BIT = 1 << 7;

/** Bytes that {@link writeEntry} may need at most for this entry. */
export function entryBytesMax({ principal, topic, kid, body, properties }: Entry): number {
  const optional = EXPIRY_BYTES + PROPERTIES_HEADER_BYTES + (properties?.length ?? 0);
  const texts = 3 * (principal.length + topic.length + kid.length);
  return FIXED_BYTES + optional + texts + body.length;
}

/**
 * Writes an entry at `offset`: version, flags (kind, QoS, retain, what there is), time (64 bit),
 * then principal, topic and key id, each behind its length (16, 16 and 8 bit); then, where there
 * are any, the expiry (32 bit) and the properties behind their length (32 bit); then the body.
 * Numbers are big-endian.
 *
 * @returns the offset behind the entry.
 * @throws RangeError when a text or the expiry has no encoding.
 */
export function writeEntry(target: Uint8Array, offset: number, entry: Entry): number {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint8(offset, FORMAT_VERSION);
  view.setUint8(offset + 1, flagsOf(entry));
  view.setBigUint64(offset + 2, BigInt(entry.atMs));
  let at = offset + 10;
  at = writeText(target, at, entry.principal, (length) => view.setUint16(at, length), 2);
  at = writeText(target, at, entry.topic, (length) => view.setUint16(at, length), 2);
  at = writeText(target, at, entry.kid, (length) => view.setUint8(at, length), 1);
  const { expiryS, properties, body } = entry;
  if (expiryS !== undefined) {
    assertExpiry(expiryS);
    view.setUint32(at, expiryS);
    at += EXPIRY_BYTES;
  }
  if (properties !== undefined && properties.length > 0) {
    view.setUint32(at, properties.length);
    target.set(properties, at + PROPERTIES_HEADER_BYTES);
    at += PROPERTIES_HEADER_BYTES + properties.length;
  }
  target.set(body, at);
  return at + body.length;
}

/** An entry on its own. */
export function encodeEntry(entry: Entry): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(entryBytesMax(entry));
  return target.slice(0, writeEntry(target, 0, entry));
}

/** Reads an entry; undefined when the bytes are none. Body and properties are views of `bytes`. */
export function decodeEntry(bytes: Uint8Array): Required<Entry> | undefined {
  if (bytes.length < FIXED_BYTES || bytes[0] !== FORMAT_VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(1);
  const kind = KINDS[flags & KIND_MASK];
  const qos = qosOf(flags);
  const principalEnd = 12 + view.getUint16(10);
  if (kind === undefined || qos === undefined || (flags & UNUSED_BIT) !== 0) return undefined;
  if (principalEnd + 2 > bytes.length) return undefined;
  const topicEnd = principalEnd + 2 + view.getUint16(principalEnd);
  if (topicEnd + 1 > bytes.length) return undefined;
  const kidEnd = topicEnd + 1 + view.getUint8(topicEnd);
  const optional = readOptional(bytes, { view, at: kidEnd, flags });
  if (optional === undefined) return undefined;
  try {
    return {
      kind,
      atMs: Number(view.getBigUint64(2)),
      principal: TEXT_DECODER.decode(bytes.subarray(12, principalEnd)),
      topic: TEXT_DECODER.decode(bytes.subarray(principalEnd + 2, topicEnd)),
      kid: TEXT_DECODER.decode(bytes.subarray(topicEnd + 1, kidEnd)),
      qos,
      retain: (flags & RETAIN_BIT) !== 0,
      ...optional,
    };
  } catch {
    return undefined;
  }
}

/**
 * What kind of entry stands from `start` up to `end`: undefined exactly where {@link decodeEntry}
 * gives undefined. It makes no objects, for those who go through millions of entries.
 */
export function entryKindAt(bytes: Uint8Array, start: number, end: number): EntryKind | undefined {
  if (end - start < FIXED_BYTES || end > bytes.length) return undefined;
  const byteAt = (at: number): number => bytes[at] ?? 0;
  const flags = byteAt(start + 1);
  const kind = KINDS[flags & KIND_MASK];
  const isFlagged = qosOf(flags) === undefined || (flags & UNUSED_BIT) !== 0;
  if (byteAt(start) !== FORMAT_VERSION || kind === undefined || isFlagged) return undefined;
  const principalEnd = start + 12 + (byteAt(start + 10) << 8) + byteAt(start + 11);
  if (principalEnd + 2 > end) return undefined;
  const topicEnd = principalEnd + 2 + (byteAt(principalEnd) << 8) + byteAt(principalEnd + 1);
  if (topicEnd + 1 > end) return undefined;
  const kidEnd = topicEnd + 1 + byteAt(topicEnd);
  const hasOptional = (flags & (EXPIRY_BIT | PROPERTIES_BIT)) !== 0;
  // What is rare is left to the whole reading: options, and texts that are not plain ASCII.
  if (kidEnd > end || hasOptional || !isAscii(bytes, start + 12, kidEnd)) {
    return decodeEntry(bytes.subarray(start, end))?.kind;
  }
  return kind;
}

/** Lengths stand between the texts: one that is no ASCII only costs the whole reading. */
function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if ((bytes[at] ?? 0) >= 0x80) return false;
  return true;
}

function flagsOf({ kind, qos = 0, retain, expiryS, properties }: Entry): number {
  let flags = KINDS.indexOf(kind) | (qos << QOS_SHIFT);
  if (retain === true) flags |= RETAIN_BIT;
  if (expiryS !== undefined) flags |= EXPIRY_BIT;
  if (properties !== undefined && properties.length > 0) flags |= PROPERTIES_BIT;
  return flags;
}

function qosOf(flags: number): 0 | 1 | 2 | undefined {
  const qos = (flags >> QOS_SHIFT) & QOS_MASK;
  return qos === 0 || qos === 1 || qos === 2 ? qos : undefined;
}

/** What stands behind the texts; undefined when it does not fit in. */
function readOptional(
  bytes: Uint8Array,
  { view, at, flags }: { view: DataView; at: number; flags: number },
): { expiryS: number | undefined; properties: Uint8Array; body: Uint8Array } | undefined {
  const propertiesAt = (flags & EXPIRY_BIT) === 0 ? at : at + EXPIRY_BYTES;
  if (propertiesAt > bytes.length) return undefined;
  const expiryS = propertiesAt === at ? undefined : view.getUint32(at);
  if ((flags & PROPERTIES_BIT) === 0) {
    return { expiryS, properties: NO_BYTES, body: bytes.subarray(propertiesAt) };
  }
  const start = propertiesAt + PROPERTIES_HEADER_BYTES;
  if (start > bytes.length) return undefined;
  const end = start + view.getUint32(propertiesAt);
  // One entry has one encoding: properties that are empty are not written.
  if (end === start || end > bytes.length) return undefined;
  return { expiryS, properties: bytes.subarray(start, end), body: bytes.subarray(end) };
}

function assertExpiry(expiryS: number): void {
  if (Number.isInteger(expiryS) && expiryS >= 0 && expiryS < 2 ** 32) return;
  throw new RangeError(`${expiryS} seconds have no encoding`);
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
