/** Encodes the properties of MQTT 5. @see MQTT 5 §2.2.2 @module */
import { FIELD_BYTES_MAX, REMAINING_LENGTH_MAX } from './limits.ts';
import {
  type AnyProperties,
  PLACE,
  PROPERTIES,
  type Place,
  type Property,
  USER_PROPERTY_ID,
} from './property-table.ts';
import { assertUint32, variableBytes, writeUint16, writeVariable } from './writer.ts';

/**
 * Encodes those properties that have their place there, with their length before them.
 *
 * @throws RangeError for a value that has no encoding.
 */
export function encodeProperties(properties: AnyProperties, place: Place): Uint8Array {
  const list = encodePropertyList(properties, place);
  if (list.length === 0) return NO_PROPERTIES_BYTES;
  const lengthBytes = variableBytes(list.length);
  const bytes = new Uint8Array(lengthBytes + list.length);
  bytes.set(list, lengthBytes);
  writeVariable(bytes, 0, list.length);
  return bytes;
}

/** As {@link encodeProperties}, without the length. */
export function encodePropertyList(properties: AnyProperties, place: Place): Uint8Array {
  list.at = 0;
  for (const property of BY_PLACE.get(place) ?? []) {
    const value = properties[property.name];
    if (value === undefined) continue;
    if (property.id !== USER_PROPERTY_ID) {
      list.one(property, value);
      continue;
    }
    for (const [name, text] of properties.userProperties ?? []) list.pair(name, text);
  }
  return list.take();
}

/** Memory that grows, as nobody knows the size of properties before they are written. */
class PropertyList {
  at = 0;
  #bytes = new Uint8Array(SCRATCH_BYTES);

  one({ id, name, form }: Property, value: unknown): void {
    this.#byte(id);
    if (typeof value === 'string') this.#text(value);
    else if (value instanceof Uint8Array) this.#binary(value);
    else this.#number(form.type, Number(value), name);
  }

  pair(name: string, value: string): void {
    this.#byte(USER_PROPERTY_ID);
    this.#text(name);
    this.#text(value);
  }

  /** Copies out what was written. One large packet must not keep its memory for ever. */
  take(): Uint8Array {
    if (this.at === 0) return EMPTY;
    const bytes = this.#bytes.slice(0, this.at);
    if (this.#bytes.length > SCRATCH_BYTES_KEPT) this.#bytes = new Uint8Array(SCRATCH_BYTES);
    return bytes;
  }

  #number(type: Property['form']['type'], value: number, name: string): void {
    this.#reserve(4);
    if (type === 'variable') {
      if (value > REMAINING_LENGTH_MAX) throw new RangeError(`${name} is beyond 4 bytes`);
      this.at = writeVariable(this.#bytes, this.at, value);
    } else if (type === 'uint32') {
      assertUint32(value);
      writeUint16(this.#bytes, this.at, Math.floor(value / 0x1_0000));
      writeUint16(this.#bytes, this.at + 2, value % 0x1_0000);
      this.at += 4;
    } else if (type === 'uint16') {
      if (value > 0xffff) throw new RangeError(`${name} has more than 16 bits`);
      writeUint16(this.#bytes, this.at, value);
      this.at += 2;
    } else {
      this.#byte(value);
    }
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.at] = value;
    this.at += 1;
  }

  #text(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    this.#reserve(2 + 3 * text.length);
    if (text.length <= BRIEF_LENGTH && this.#ascii(text)) return;
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.at + 2));
    this.#length(written);
    this.at += written;
  }

  /** Writes a short text if all of it is ASCII: a call of the encoder costs more. */
  #ascii(text: string): boolean {
    const start = this.at + 2;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[start + i] = code;
    }
    this.#length(text.length);
    this.at += text.length;
    return true;
  }

  #binary(data: Uint8Array): void {
    this.#reserve(2 + data.length);
    this.#length(data.length);
    this.#bytes.set(data, this.at);
    this.at += data.length;
  }

  #length(bytes: number): void {
    if (bytes > FIELD_BYTES_MAX) throw new RangeError(`a field of ${bytes} bytes`);
    writeUint16(this.#bytes, this.at, bytes);
    this.at += 2;
  }

  #reserve(bytes: number): void {
    if (this.at + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.at + bytes, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.at));
    this.#bytes = grown;
  }
}

const BY_PLACE: ReadonlyMap<Place, readonly Property[]> = new Map(
  Object.values(PLACE).map((place) => [
    place,
    PROPERTIES.filter(({ places }) => (places & place) !== 0),
  ]),
);
const BRIEF_LENGTH = 24;
const SCRATCH_BYTES = 4_096;
const SCRATCH_BYTES_KEPT = 65_536;
const EMPTY = new Uint8Array(0);
const NO_PROPERTIES_BYTES = Uint8Array.of(0);
const encoder = new TextEncoder();
const list = new PropertyList();
