/** Brings the wrapped keys to every destination: after each backup and each erasure. @module */
import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Bucket } from '../buckets/index.ts';
import type { KeyHandle } from '../crypto/index.ts';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import { type KeyTables, readKeyTables, readKeysSummary } from '../persistence/index.ts';
import type { BackupKey } from './backup-key.ts';
import type { BackupRecords, Destination } from './destinations.ts';
import { divergedFault, foreignFault } from './faults.ts';
import { KEYS_OBJECT, decodeKeys, encodeKeys, keysState } from './keys-object.ts';

/** What the keeper needs. */
export interface KeysKeeperDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly records: BackupRecords;
  /** Files of the data folder. */
  readonly registryPath: string;
  readonly custodyPath: string;
  /** The log, as its checkpoints name it. */
  readonly log: { readonly origin: string; readonly verifierKey: string };
  readonly signer: KeyHandle;
  readonly key: () => BackupKey;
  readonly open: (destination: string) => Promise<Bucket>;
}

/** A destination with other keys than were brought there. */
export interface Replaced {
  readonly name: string;
  /** Sequence of those that are there; 0 for none. */
  readonly found: number;
  readonly wanted: number;
}

/** Keeps the keys objects of all destinations as the keys are here. */
export class KeysKeeper {
  readonly #deps: KeysKeeperDeps;
  /** One writing at a time to each destination; a backup that takes hours holds up no erasure. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: KeysKeeperDeps) {
    this.#deps = deps;
  }

  /** The wrapped keys as they are now. */
  tables(): KeyTables {
    return this.#read(readKeyTables);
  }

  /** Destinations whose keys are behind those here: what was erased can still be read there. */
  pending(): Destination[] {
    const destinations = this.#deps.records.destinations.all();
    if (destinations.length === 0) return [];
    const state = keysState(this.#custody(), this.#read(readKeysSummary));
    return destinations.filter(({ keysState }) => keysState !== state);
  }

  /** Brings the keys to all destinations that are behind. Gives how many remain so. */
  async bringAll(): Promise<number> {
    // At once: one that never answers must not keep an erasure from the others.
    const outcomes = this.pending().map(async ({ name }) => {
      try {
        await this.bring(name, await this.#deps.open(name));
        return 0;
      } catch (error) {
        this.noteFailure(name, error);
        return 1;
      }
    });
    return (await Promise.all(outcomes)).reduce<number>((sum, one) => sum + one, 0);
  }

  /**
   * Replaces the keys object of a destination, and gives its sequence.
   * @throws Fault `E_BACKUP_FOREIGN` or `E_BACKUP_DIVERGED` when it is not this server's to
   *   replace: the backups of the other would lose their keys.
   */
  bring(name: string, bucket: Bucket): Promise<number> {
    return this.#inTurn(name, () => this.#bring(name, bucket));
  }

  #inTurn<T>(name: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(task, task);
    this.#turns.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  }

  async #bring(name: string, bucket: Bucket): Promise<number> {
    const { clock, random, records, log, signer, key } = this.#deps;
    const { destinations } = records;
    await this.requireOwn(name, bucket);
    const before = destinations.read(name) ?? { name, sequence: 0, keysState: '' };
    const custody = this.#custody();
    const { tables, state } = this.#read((database) => ({
      tables: readKeyTables(database),
      state: keysState(custody, readKeysSummary(database)),
    }));
    const sequence = before.sequence + 1;
    // First the number: should this be stopped in between, the object is known for our own.
    destinations.write(name, { ...before, sequence, keysState: '' });
    const at = new Date(clock.nowMs()).toISOString();
    const content = { ...log, sequence, at, custody, tables, erasures: records.erasures() };
    await bucket.put(KEYS_OBJECT, encodeKeys(content, { key: key(), signer, random }));
    const now = destinations.read(name);
    // One that was forgotten meanwhile stays so.
    if (now === undefined) return sequence;
    const { failure: _failure, ...kept } = now;
    destinations.write(name, { ...kept, sequence, keysState: state });
    return sequence;
  }

  /**
   * Looks whether each destination still has the keys that were brought there: whoever puts older
   * ones back brings back what was erased. Tells of those that have not; they are behind now.
   */
  async findReplaced(note: (replaced: Replaced) => Promise<void>): Promise<void> {
    const behind = new Set(this.pending().map(({ name }) => name));
    const others = this.#deps.records.destinations.all().filter(({ name }) => !behind.has(name));
    const looks = others.map(async ({ name }) => {
      try {
        const found = await this.#inTurn(name, () => this.#lookAt(name));
        if (found !== undefined) await note(found);
      } catch (error) {
        this.noteFailure(name, error);
      }
    });
    await Promise.all(looks);
  }

  async #lookAt(name: string): Promise<Replaced | undefined> {
    const { destinations } = this.#deps.records;
    const there = await this.requireOwn(name, await this.#deps.open(name));
    const known = destinations.read(name);
    if (known === undefined || there === known.sequence) return undefined;
    destinations.write(name, { ...known, keysState: '' });
    return { name, found: there, wanted: known.sequence };
  }

  /**
   * Throws unless the destination is empty, or this server wrote to it last. Gives the sequence of
   * the keys there; 0 for none.
   */
  async requireOwn(name: string, bucket: Bucket): Promise<number> {
    const there = await bucket.get(KEYS_OBJECT);
    if (there === undefined) return 0;
    const { log, records } = this.#deps;
    const keys = decodeKeys(there);
    if (keys.verifierKey !== log.verifierKey) throw foreignFault(name);
    const known = records.destinations.read(name)?.sequence ?? 0;
    if (keys.sequence > known) throw divergedFault(name);
    return keys.sequence;
  }

  noteFailure(name: string, error: unknown): void {
    const { destinations } = this.#deps.records;
    const destination = destinations.read(name);
    if (destination === undefined) return;
    const what = error instanceof Error ? error.message : String(error);
    const failure = { atMs: this.#deps.clock.nowMs(), what: what.slice(0, FAILURE_CHARACTERS) };
    destinations.write(name, { ...destination, failure });
  }

  /** Reads at one moment. */
  #read<T>(read: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(this.#deps.registryPath, { readOnly: true });
    try {
      database.exec('BEGIN');
      return read(database);
    } finally {
      database.close();
    }
  }

  #custody(): string | null {
    const { custodyPath } = this.#deps;
    return existsSync(custodyPath) ? readFileSync(custodyPath, 'utf8') : null;
  }
}

const FAILURE_CHARACTERS = 500;
