/** Which bytes of a representation a request asks for. RFC 9110 §13, §14 @module */

/** The bytes from `start` up to and without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What to answer: all of it (200), a part (206), nothing new (304), or no such part (416). */
export type Selection =
  | { readonly status: 200 | 206; readonly range: ByteRange }
  | { readonly status: 304 | 416; readonly range?: undefined };

/** The headers that matter. */
export interface RangeRequest {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/**
 * Selects the bytes to answer with.
 * @param etag - the strong entity tag, with its quotation marks.
 */
export function selectBytes(
  { range, ifRange, ifNoneMatch }: RangeRequest,
  { length, etag }: { readonly length: number; readonly etag: string },
): Selection {
  if (ifNoneMatch !== undefined && isNoneNew(ifNoneMatch, etag)) return { status: 304 };
  const whole = { status: 200, range: { start: 0, end: length } } as const;
  // Only the very same tag: a weak one, a date, or anything else sends all of it. §13.1.5
  if (range === undefined || (ifRange !== undefined && ifRange.trim() !== etag)) return whole;
  const part = parseRange(range, length);
  if (part === undefined) return whole;
  return part === 'unsatisfiable' ? { status: 416 } : { status: 206, range: part };
}

/** Whether one of the tags is this one, compared weakly. RFC 9110 §13.1.2 */
export function isNoneNew(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(',').some((text) => {
    const tag = text.trim().replace(/^W\//u, '');
    return tag === '*' || tag === etag;
  });
}

/**
 * Reads the header `Range`. Undefined for what is to be ignored: another unit, bad syntax, and
 * several ranges, for which a server may send everything. RFC 9110 §14.2
 */
export function parseRange(text: string, length: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/iu.exec(
    text.replaceAll(/[ \t]/gu, ''),
  );
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const count = Math.min(Number(suffix), length);
    return count === 0 ? 'unsatisfiable' : { start: length - count, end: length };
  }
  const start = Number(first);
  const end = last === undefined ? length : Math.min(Number(last) + 1, length);
  if (last !== undefined && Number(last) < start) return undefined;
  return start >= length ? 'unsatisfiable' : { start, end };
}
