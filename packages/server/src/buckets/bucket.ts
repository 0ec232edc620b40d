/** Where objects are kept away from the server: a folder, or a bucket of S3. @module */
import { Fault } from '../kernel/index.ts';

/** An object as it is listed. */
export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Keeps objects by key. It is trusted with nothing: callers seal what they put, and check what
 * they get. Keys match {@link OBJECT_KEY}. Its methods throw a Fault `E_BUCKETS_…` when the store
 * cannot be reached or refuses.
 */
export interface Bucket {
  /** How people name it: `folder:/backups` or `s3://bucket/prefix`. No secret. */
  readonly name: string;
  /** Keeps an object, whole or not at all; it is durable when this resolves. Replaces another. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The object; undefined when there is none. */
  get(key: string): Promise<Buffer | undefined>;
  /** The bytes from `start` up to and without `end`; undefined when there is no object. */
  getRange?(key: string, start: number, end: number): Promise<Buffer | undefined>;
  /** The objects whose key begins with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Removes an object with all of its versions; it is no error when there is none. */
  remove(key: string): Promise<void>;
  /** What is known of an object; undefined when there is none. */
  head(key: string): Promise<{ readonly size: number } | undefined>;
}

/** The grammar of keys; besides, no part between slashes is empty, `.` or `..`. */
const OBJECT_KEY: RegExp = /^[a-z0-9/._-]{1,512}$/u;

/** Whether a text can be the key of an object. */
export function isObjectKey(key: string): boolean {
  const isPart = (part: string): boolean => part !== '' && part !== '.' && part !== '..';
  return OBJECT_KEY.test(key) && key.split('/').every(isPart);
}

/**
 * Throws on what is no key, before it becomes a path or a URL.
 * @throws Fault `E_BUCKETS_KEY`.
 */
export function requireObjectKey(key: string): void {
  if (isObjectKey(key)) return;
  throw new Fault({
    code: 'E_BUCKETS_KEY',
    what: `${JSON.stringify(key.slice(0, 64))} is no key of an object.`,
    fix: 'Keys have 1 to 512 characters of a-z, 0-9, ".", "_", "-", and "/" between their parts.',
  });
}

/** An object that somebody else must have put there. */
export function sizeFault(name: string, key: string): Fault {
  return new Fault({
    code: 'E_BUCKETS_SIZE',
    what: `The object ${key} of ${name} is larger than what is ever put there, or is no file.`,
    fix: 'Find out who else can write there.',
  });
}
