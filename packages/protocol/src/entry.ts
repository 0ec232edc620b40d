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
/** Where the principal begins. */
const TEXTS_AT = 12;
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
  const { atMs, principal, topic, kid, expiryS, properties, body } = entry;
  if (!Number.isSafeInteger(atMs) || atMs < 0) throw new RangeError(`no time: ${atMs}`);
  target[offset] = FORMAT_VERSION;
  target[offset + 1] = flagsOf(entry);
  writeUint32(target, offset + 2, Math.floor(atMs / 2 ** 32));
  writeUint32(target, offset + 6, atMs);
  let at = writeText(target, offset + 10, principal, 2);
  at = writeText(target, at, topic, 2);
  at = writeText(target, at, kid, 1);
  if (expiryS !== undefined) {
    assertExpiry(expiryS);
    writeUint32(target, at, expiryS);
    at += EXPIRY_BYTES;
  }
  if (properties !== undefined && properties.length > 0) {
    writeUint32(target, at, properties.length);
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
  const texts = readTexts(bytes, { principalEnd, topicEnd, kidEnd });
  if (texts === undefined) return undefined;
  // Each by its name: to spread them takes a quarter of the whole time.
  return {
    kind,
    atMs: view.getUint32(2) * 2 ** 32 + view.getUint32(6),
    principal: texts.principal,
    topic: texts.topic,
    kid: texts.kid,
    qos,
    retain: (flags & RETAIN_BIT) !== 0,
    expiryS: optional.expiryS,
    properties: optional.properties,
    body: optional.body,
  };
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

/** The texts of an entry; undefined when they are no UTF-8. */
function readTexts(
  bytes: Uint8Array,
  { principalEnd, topicEnd, kidEnd }: Record<'principalEnd' | 'topicEnd' | 'kidEnd', number>,
): Pick<Entry, 'principal' | 'topic' | 'kid'> | undefined {
  try {
    if (isAscii(bytes, TEXTS_AT, kidEnd)) {
      // One call costs less than three. A character is a byte, the lengths between them as well.
      const texts = TEXT_DECODER.decode(bytes.subarray(TEXTS_AT, kidEnd));
      return {
        principal: texts.slice(0, principalEnd - TEXTS_AT),
        topic: texts.slice(principalEnd + 2 - TEXTS_AT, topicEnd - TEXTS_AT),
        kid: texts.slice(topicEnd + 1 - TEXTS_AT),
      };
    }
    return {
      principal: TEXT_DECODER.decode(bytes.subarray(TEXTS_AT, principalEnd)),
      topic: TEXT_DECODER.decode(bytes.subarray(principalEnd + 2, topicEnd)),
      kid: TEXT_DECODER.decode(bytes.subarray(topicEnd + 1, kidEnd)),
    };
  } catch {
    return undefined;
  }
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

/** The lower 32 bits of a number, big-endian. */
function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** Writes a text behind its length. @returns the offset behind it. */
function writeText(target: Uint8Array, at: number, text: string, lengthBytes: 1 | 2): number {
  const start = at + lengthBytes;
  const length = writeAscii(target, start, text) ?? writeUtf8(target, start, text);
  if (length >= 2 ** (8 * lengthBytes)) {
    throw new RangeError('a text of an audit entry is too long');
  }
  if (lengthBytes === 2) target[at] = length >>> 8;
  target[start - 1] = length;
  return start + length;
}

/** The encoder takes longer for a short text than for a page, and nearly every text is plain. */
function writeAscii(target: Uint8Array, start: number, text: string): number | undefined {
  const { length } = text;
  if (length > BRIEF_TEXT_MAX || start + length > target.length) return undefined;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return undefined;
    target[start + i] = unit;
  }
  return length;
}

function writeUtf8(target: Uint8Array, start: number, text: string): number {
  const { read, written } = TEXT_ENCODER.encodeInto(text, target.subarray(start));
  if (read !== text.length) throw new RangeError('a text of an audit entry is too long');
  return written;
}

const BRIEF_TEXT_MAX = 128;
