/** What the broker keeps besides the log: a value for each key, sealed. @module */
import { createHmac } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deriveKey, open, seal } from '../crypto/thread.ts';
import { Fault, type RandomBytes, type SecretBytes } from '../kernel/index.ts';
import { openDatabase, transaction } from '../persistence/thread.ts';

const STATE_VERSION = 2;
/** Random, before each sealed value. */
const SALT_BYTES = 16;
const STATE_SCHEMA = 'CREATE TABLE state (lookup BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT;';
const KEY_LENGTH_BYTES = 4;
/** Under this key stands how many entries the log had when the state was saved last. */
const LOG_SIZE_KEY = 'log';

/** A value under its key. */
export interface StateRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A value to be put in place of the former one; without a value the key is removed. */
export interface StateChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** A page of {@link StateStore.load}. */
export interface StatePage {
  readonly rows: readonly StateRow[];
  /** From where the next page goes on; undefined after the last one. */
  readonly next: number | undefined;
}

/** What a {@link StateStore} needs. */
export interface StateStoreOptions {
  /** Data key of it all. */
  readonly key: SecretBytes;
  readonly random: RandomBytes;
  /** Entries of the log that it belongs to. */
  readonly logSize: number;
}

/** The state of one data folder; the database sees neither keys nor values. */
export class StateStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #random: RandomBytes;
  readonly #lookupKey: SecretBytes;
  readonly #rowKey: SecretBytes;
  readonly #upsert: StatementSync;
  readonly #remove: StatementSync;
  readonly #select: StatementSync;

  /**
   * Opens or creates the file for this thread alone.
   * @throws Fault `E_JOURNAL_STATE` when it was saved behind the end of the log.
   */
  constructor(path: string, { key, random, logSize }: StateStoreOptions) {
    this.#path = path;
    this.#database = openDatabase(path, { schema: STATE_SCHEMA, version: STATE_VERSION });
    this.#random = random;
    this.#lookupKey = deriveKey(key, 'holdfast/state-index/v1');
    this.#rowKey = deriveKey(key, 'holdfast/state/v1');
    this.#upsert = this.#database.prepare(
      'INSERT INTO state VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed',
    );
    this.#remove = this.#database.prepare('DELETE FROM state WHERE lookup = ?');
    this.#select = this.#database.prepare(
      'SELECT rowid AS place, lookup, sealed FROM state WHERE rowid > ? ORDER BY rowid',
    );
    this.#checkLogSize(logSize);
  }

  /** Puts all changes on the disk, or none. @param log - Of how many entries they may speak. */
  save(changes: readonly StateChange[], log: { readonly logSize: number }): void {
    const logSize = Buffer.from(String(log.logSize), 'latin1');
    transaction(this.#database, () => {
      for (const change of changes) this.#put(change);
      this.#put({ key: LOG_SIZE_KEY, value: logSize });
    });
  }

  /**
   * A page of what is stored: rows behind `after` (0 for the first page) until they hold
   * `bytesMin` bytes.
   * @throws Fault `E_JOURNAL_STATE` when a row cannot be read or does not open.
   */
  load({ after, bytesMin }: { after: number; bytesMin: number }): StatePage {
    const rows: StateRow[] = [];
    let bytes = 0;
    try {
      for (const { place, lookup, sealed } of this.#select.iterate(after)) {
        if (!(lookup instanceof Uint8Array) || !(sealed instanceof Uint8Array)) {
          throw new TypeError('a row without blobs');
        }
        const row = this.#open(lookup, sealed);
        if (row.key !== LOG_SIZE_KEY) rows.push(row);
        bytes += sealed.length;
        if (bytes >= bytesMin) return { rows, next: Number(place) };
      }
      return { rows, next: undefined };
    } catch (cause) {
      throw stateFault(this.#path, cause);
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Its queues would find other messages at the places of those that the log has lost. */
  #checkLogSize(logSize: number): void {
    const lookup = this.#lookup(LOG_SIZE_KEY);
    const sealed = this.#database
      .prepare('SELECT sealed FROM state WHERE lookup = ?')
      .get(lookup)?.['sealed'];
    if (sealed === undefined) return;
    try {
      if (!(sealed instanceof Uint8Array)) throw new TypeError('a row without blobs');
      const { value } = this.#open(lookup, sealed);
      const savedSize = Number(Buffer.from(value).toString('latin1'));
      if (savedSize <= logSize) return;
      throw new RangeError(
        `the log has ${logSize} entries, and had ${savedSize} when it was saved`,
      );
    } catch (cause) {
      this.#database.close();
      throw stateFault(this.#path, cause);
    }
  }

  #lookup(key: string): Buffer {
    return hmac(this.#lookupKey, Buffer.from(key, 'utf8'));
  }

  #put({ key, value }: StateChange): void {
    const lookup = this.#lookup(key);
    if (value === undefined) this.#remove.run(lookup);
    else this.#upsert.run(lookup, this.#seal(lookup, { key, value }));
  }

  #seal(lookup: Buffer, { key, value }: StateRow): Buffer {
    const name = Buffer.from(key, 'utf8');
    const header = Buffer.alloc(KEY_LENGTH_BYTES);
    header.writeUInt32BE(name.length);
    const salt = this.#random(SALT_BYTES);
    const sealed = seal(Buffer.concat([header, name, value]), {
      key: hmac(this.#rowKey, Buffer.concat([lookup, salt])),
      aad: stateContext(lookup),
      random: this.#random,
    });
    return Buffer.concat([salt, sealed]);
  }

  #open(lookup: Uint8Array, sealed: Uint8Array): StateRow {
    // A key of its own for each sealing: random nonces would run out under one key for all, as
    // this is saved many times in a second for years. SP 800-38D §8.3
    const salt = sealed.subarray(0, SALT_BYTES);
    const key = hmac(this.#rowKey, Buffer.concat([lookup, salt]));
    const plaintext = open(sealed.subarray(SALT_BYTES), { key, aad: stateContext(lookup) });
    const keyEnd = KEY_LENGTH_BYTES + plaintext.readUInt32BE();
    return {
      key: plaintext.toString('utf8', KEY_LENGTH_BYTES, keyEnd),
      // Memory of its own, to be sent to the other thread.
      value: new Uint8Array(plaintext.subarray(keyEnd)),
    };
  }
}

function hmac(key: SecretBytes, data: Uint8Array): Buffer {
  return createHmac('sha256', key.expose()).update(data).digest();
}

/** Binds a value to its key: a row that was moved does not open. */
function stateContext(lookup: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('holdfast/state/v1\0', 'latin1'), lookup]);
}

function stateFault(path: string, cause: unknown): Fault {
  return new Fault({
    code: 'E_JOURNAL_STATE',
    what: `Sessions and retained messages cannot be read from ${path}: ${String(cause)}.`,
    fix:
      'Restore the data folder from a backup. Or move this file away: retained messages then ' +
      'come back out of the log, and devices have to subscribe again.',
    cause,
  });
}
