/** Rows of a database as bytes: the same rows always give the same bytes. @module */

/** What a column can hold. Integers are exact. */
export type SqlValue = null | bigint | number | string | Uint8Array;

const TYPE = { null: 0, integer: 1, real: 2, text: 3, blob: 4 } as const;
const INTEGER_BYTES = 8;
const LENGTH_BYTES = 4;

/** Encodes one row: for each value its type, and its length where that is not fixed. */
export function encodeRow(values: readonly SqlValue[]): Buffer {
  return Buffer.concat(values.map(encodeValue));
}

/**
 * Reads rows of `columns` values each until the end of `bytes`.
 * @throws RangeError when they end within a row, or a type is unknown.
 */
export function* decodeRows(bytes: Buffer, columns: number): Generator<SqlValue[]> {
  if (columns < 1) throw new RangeError('a row has at least one column');
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    yield Array.from({ length: columns }, () => decodeValue(bytes, cursor));
  }
}

function encodeValue(value: SqlValue): Buffer {
  if (value === null) return Buffer.of(TYPE.null);
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(1 + INTEGER_BYTES);
    bytes.writeUInt8(TYPE.integer);
    bytes.writeBigInt64BE(value, 1);
    return bytes;
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(1 + INTEGER_BYTES);
    bytes.writeUInt8(TYPE.real);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  const isText = typeof value === 'string';
  const body = isText ? Buffer.from(value, 'utf8') : value;
  const head = Buffer.alloc(1 + LENGTH_BYTES);
  head.writeUInt8(isText ? TYPE.text : TYPE.blob);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function decodeValue(bytes: Buffer, cursor: { at: number }): SqlValue {
  const type = bytes.readUInt8(cursor.at);
  const start = cursor.at + 1;
  switch (type) {
    case TYPE.null:
      cursor.at = start;
      return null;
    case TYPE.integer:
      cursor.at = start + INTEGER_BYTES;
      return bytes.readBigInt64BE(start);
    case TYPE.real:
      cursor.at = start + INTEGER_BYTES;
      return bytes.readDoubleBE(start);
    case TYPE.text:
    case TYPE.blob: {
      const bodyStart = start + LENGTH_BYTES;
      const end = bodyStart + bytes.readUInt32BE(start);
      if (end > bytes.length) throw new RangeError('a row ends too early');
      cursor.at = end;
      const body = bytes.subarray(bodyStart, end);
      return type === TYPE.text ? body.toString('utf8') : body;
    }
    default:
      throw new RangeError(`${type} is no type of a value`);
  }
}
