/** Makes a signed JSON payload: the signer's side of `parseSignedJson`. @module */
import { Refusal } from '../refusal.ts';
import { canonicalJson } from './canonical-json.ts';
import { SIGNED_JSON_LIMITS } from './limits.ts';
import { pythonNumber } from './python-number.ts';

/** A payload that waits for its signature. */
export interface PreparedSignedJson {
  /** What to compute the HMAC-SHA256 over. */
  readonly signedBytes: Uint8Array;
  /**
   * The payload with its signature, pure ASCII.
   *
   * @param signatureHex - 64 lower-case hexadecimal digits
   * @throws TypeError when it is anything else
   */
  readonly finish: (signatureHex: string) => string;
}

/**
 * Prepares an object for signing. Receivers in Python get the same bytes from
 * `json.dumps(d, sort_keys=True)` after they took "sig" out of what they parsed.
 *
 * @param object - plain data: null, booleans, finite numbers, bigints (printed as integers),
 * strings, arrays and plain objects, without "sig". A server wants "ctr" or "seq" in it.
 * @throws TypeError naming the place of a value that JSON cannot carry; RangeError when the payload
 * would break a limit. Both are mistakes of the calling code.
 * @example
 * const { signedBytes, finish } = prepareSignedJson({ temp: 23.5, ctr: 7 });
 * const payload = finish(createHmac('sha256', key).update(signedBytes).digest('hex'));
 */
export function prepareSignedJson(object: Record<string, unknown>): PreparedSignedJson {
  if (!isPlainObject(object)) throw new TypeError('What is signed must be a plain object.');
  if (Object.hasOwn(object, 'sig')) throw new TypeError('"sig" is for the signature.');
  const canonical = canonicalJson(jsonOf(object, { path: 'object', depth: 1 }));
  if (canonical instanceof Refusal) throw new RangeError(canonical.detail);
  if (canonical.length + SIGNATURE_MEMBER_BYTES_MAX > SIGNED_JSON_LIMITS.bytesMax) {
    throw new RangeError(`More than ${SIGNED_JSON_LIMITS.bytesMax} bytes, with the signature.`);
  }
  return {
    signedBytes: new TextEncoder().encode(canonical),
    finish: (signatureHex) => {
      if (!/^[0-9a-f]{64}$/u.test(signatureHex)) {
        throw new TypeError('A signature is 64 lower-case hexadecimal digits.');
      }
      const separator = canonical === '{}' ? '' : ', ';
      return `${canonical.slice(0, -1)}${separator}"sig": "${signatureHex}"}`;
    },
  };
}

/** What `finish` adds at most: `, "sig": ""` and the digits. */
const SIGNATURE_MEMBER_BYTES_MAX = 11 + 64;

/** Where a value stands: for the message, and to stop at a cycle. */
interface Place {
  readonly path: string;
  readonly depth: number;
}

/** JSON text of a value. Key order and escapes are left to `canonicalJson`. */
function jsonOf(value: unknown, place: Place): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return `${value}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return pythonNumber(value);
  if (place.depth > SIGNED_JSON_LIMITS.depthMax) {
    throw new RangeError(`${place.path} is nested too deeply, or contains itself.`);
  }
  const depth = place.depth + 1;
  if (Array.isArray(value)) {
    // Unlike map(), Array.from() does not skip holes.
    const items = Array.from(value, (item: unknown, i) =>
      jsonOf(item, { path: `${place.path}[${i}]`, depth }),
    );
    return `[${items.join(',')}]`;
  }
  if (!isPlainObject(value)) {
    throw new TypeError(`${place.path} is ${describe(value)}, which JSON cannot carry.`);
  }
  const members = Object.entries(value).map(([key, member]) => {
    const path = `${place.path}[${JSON.stringify(key)}]`;
    return `${JSON.stringify(key)}:${jsonOf(member, { path, depth })}`;
  });
  return `{${members.join(',')}}`;
}

/** Says what a value is, not what it holds: it may be a secret. */
function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : `of type ${typeof value}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
