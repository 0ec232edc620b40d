/** Small things that a device keeps for itself: settings, credentials of others. Sealed. @module */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLE_FILES } from '../bundle-files.ts';
import type { DeviceBundle } from '../bundle.ts';
import { DeviceError } from '../device-error.ts';
import type { Fernet } from '../fernet.ts';
import { SECURE_STORE_BYTES_MAX, SECURE_STORE_NAME_MAX } from '../limits.ts';
import { writePrivateFile } from '../private-file.ts';
import { makeStoreFolder } from './open-store.ts';
import { storeError } from './store-error.ts';
import { StoreKey } from './store-key.ts';

/** What JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** A counter of a token or a secure element that never goes back. */
export interface MonotonicCounter {
  read(): number;
  /** Makes it `value`, which is higher than what it was, for good. */
  advanceTo(value: number): void;
}

/** How to open a store. */
export interface SecureStoreOptions {
  /**
   * Where it is: a bundle, by whose payload key it is sealed, or a folder, which is made when it is
   * missing, with a random key in `store.key`, mode 0600.
   */
  readonly in: DeviceBundle | string;
  /** Finds out when somebody has put an older file back. Without one nobody can. */
  readonly counter?: MonotonicCounter;
}

/**
 * Named JSON values in one file, which is replaced as a whole with each change: after a crash it is
 * as before or as after. AES-256-GCM. One process at a time may write.
 */
export class SecureStore {
  readonly #path: string;
  readonly #key: StoreKey;
  readonly #counter: MonotonicCounter | undefined;

  /**
   * @throws DeviceError `E_DEVICE_STORE` when the file does not open, `E_DEVICE_STORE_ROLLBACK`
   *   when it is an older one, `E_DEVICE_MODE`
   */
  constructor({ in: place, counter }: SecureStoreOptions) {
    const isFolder = typeof place === 'string';
    const folder = isFolder ? place : join(place.folder, BUNDLE_FILES.store);
    makeStoreFolder(folder);
    this.#path = join(folder, 'settings.sealed');
    this.#key = isFolder
      ? StoreKey.file(join(folder, 'store.key'))
      : StoreKey.derive(place.payloadKey);
    this.#counter = counter;
    this.#read();
  }

  /** The names that have a value. */
  names(): string[] {
    return [...this.#read().values.keys()];
  }

  /** The value of a name; undefined when it has none. */
  get(name: string): JsonValue | undefined {
    return this.#read().values.get(name);
  }

  /**
   * Sets a value; it is durable when this returns.
   * @param name - 1 to 256 characters
   * @throws DeviceError `E_DEVICE_STORE`, also when the store would be larger than 1 MiB
   */
  set(name: string, value: JsonValue): void {
    if (name.length === 0 || name.length > SECURE_STORE_NAME_MAX) {
      throw storeError(`A name has 1 to ${SECURE_STORE_NAME_MAX} characters`);
    }
    const { version, values } = this.#read();
    values.set(name, value);
    this.#write(version + 1, values);
  }

  /** Removes a value. Copies of the file that were made before still have it. */
  delete(name: string): void {
    const { version, values } = this.#read();
    if (values.delete(name)) this.#write(version + 1, values);
  }

  /**
   * A value as Fernet token of its JSON text, for a program that knows nothing else.
   * @throws DeviceError `E_DEVICE_STORE` when the name has no value
   */
  toFernet(name: string, fernet: Fernet): string {
    const value = this.get(name);
    if (value === undefined) throw storeError(`There is no value "${name}"`);
    return fernet.encrypt(Buffer.from(JSON.stringify(value), 'utf8'));
  }

  /**
   * Sets a value out of a Fernet token: of its JSON text, or of any other text, as a string.
   * @param options.ttlS - how many seconds old the token may be; without it, any age.
   * @throws DeviceError `E_DEVICE_FERNET_TOKEN`, and as {@link set}
   */
  setFromFernet(
    name: string,
    token: string,
    { fernet, ttlS }: { readonly fernet: Fernet; readonly ttlS?: number },
  ): void {
    const text = fernet.decrypt(token, ttlS === undefined ? {} : { ttlS }).toString('utf8');
    this.set(name, valueOf(text));
  }

  #read(): { version: number; values: Map<string, JsonValue> } {
    const found = existsSync(this.#path) ? this.#open() : { version: 0, values: new Map() };
    const known = this.#counter?.read() ?? 0;
    if (found.version < known) throw rollbackError(this.#path, { found: found.version, known });
    // A crash came between the file and the counter.
    if (found.version > known) this.#counter?.advanceTo(found.version);
    return found;
  }

  #open(): { version: number; values: Map<string, JsonValue> } {
    try {
      const bytes = readFileSync(this.#path);
      const salt = bytes.subarray(MAGIC.length, HEADER_BYTES);
      const key = this.#key.subkey(PURPOSE, salt);
      const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG_BYTES });
      decipher.setAAD(bytes.subarray(0, HEADER_BYTES));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const sealed = bytes.subarray(HEADER_BYTES, -TAG_BYTES);
      const text = Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
      const [version, entries]: [number, [string, JsonValue][]] = JSON.parse(text);
      return { version, values: new Map(entries) };
    } catch (cause) {
      throw storeError(`${this.#path} does not open: it is damaged, or of another key`, cause);
    }
  }

  #write(version: number, values: ReadonlyMap<string, JsonValue>): void {
    const plain = Buffer.from(JSON.stringify([version, [...values]]), 'utf8');
    if (plain.length > SECURE_STORE_BYTES_MAX) {
      throw storeError(`${plain.length} bytes; a store has at most ${SECURE_STORE_BYTES_MAX}`);
    }
    // The salt gives each version a key of its own, so that the nonce may be the same.
    const header = Buffer.concat([MAGIC, randomBytes(SALT_BYTES)]);
    const key = this.#key.subkey(PURPOSE, header.subarray(MAGIC.length));
    const cipher = createCipheriv('aes-256-gcm', key, NONCE).setAAD(header);
    const sealed = [cipher.update(plain), cipher.final()];
    try {
      writePrivateFile(this.#path, Buffer.concat([header, ...sealed, cipher.getAuthTag()]));
    } catch (cause) {
      throw storeError(`${this.#path} cannot be written`, cause);
    }
    this.#counter?.advanceTo(version);
  }
}

function valueOf(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

function rollbackError(path: string, { found, known }: { found: number; known: number }) {
  return new DeviceError('E_DEVICE_STORE_ROLLBACK', {
    message: `${path} is version ${found}, but version ${known} has been written.`,
    fix: 'Somebody put an older file back, or removed it. Find out who; then set it up anew.',
  });
}

const PURPOSE = 'settings';
/** "HFSET" and the version of the format. */
const MAGIC = Buffer.from('HFSET\0\0\u0001', 'latin1');
const SALT_BYTES = 16;
const HEADER_BYTES = MAGIC.length + SALT_BYTES;
const TAG_BYTES = 16;
const NONCE = Buffer.alloc(12);
