/** A journal in a folder of its own, for the tests of what is stored and read back. @module */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { Entry } from '@holdfast/protocol';
import { generatePrivateKey } from '../crypto/index.ts';
import {
  type Clock,
  Fault,
  Secret,
  createLog,
  systemClock,
  systemRandom,
} from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import { Journal } from './journal.ts';

const BROKER_REF = 1_000;

/** Data keys that can be destroyed. */
export class LabKeyring {
  readonly #keys = new Map<number, DataKey>();

  only(): DataKey {
    return this.create(BROKER_REF);
  }

  create(ref: number): DataKey {
    const key = this.#keys.get(ref) ?? { ref, key: new Secret(systemRandom(32)), spend: () => {} };
    this.#keys.set(ref, key);
    return key;
  }

  byRef(ref: number): DataKey {
    const key = this.#keys.get(ref);
    if (key === undefined) throw new Fault({ code: 'E_PERSISTENCE_KEY', what: 'gone', fix: '' });
    return key;
  }

  destroy(ref: number): void {
    this.#keys.delete(ref);
  }
}

/** One data folder, whose journal can be opened again and again. */
export class JournalLab {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  readonly path = join(this.folder, 'log.db');
  readonly statePath = join(this.folder, 'broker.db');
  readonly keyring = new LabKeyring();
  /** Lines of the log at the level of errors. */
  readonly errors: string[] = [];
  readonly #signingKey = generatePrivateKey('Ed25519');
  readonly #open = new Set<Journal>();

  constructor(t: TestContext) {
    t.after(async () => {
      for (const journal of this.#open) await journal.close();
      rmSync(this.folder, { recursive: true });
    });
  }

  async open(clock: Clock = systemClock): Promise<Journal> {
    const journal = await Journal.open({
      path: this.path,
      statePath: this.statePath,
      keyring: this.keyring,
      origin: 'test/log',
      signingKey: this.#signingKey,
      clock,
      log: createLog({
        form: 'json',
        level: 'error',
        write: (line) => this.errors.push(line),
      }),
      onFatal: (error) => {
        throw error;
      },
    });
    this.#open.add(journal);
    return journal;
  }

  async close(journal: Journal): Promise<void> {
    this.#open.delete(journal);
    await journal.close();
  }

  /** Leaves it to the test to end a journal. */
  release(journal: Journal): void {
    this.#open.delete(journal);
  }

  /** Keeps the files as they are now: what a crash leaves. @returns how to put them back. */
  snapshot(): () => void {
    const kept = mkdtempSync(join(tmpdir(), 'holdfast-snapshot-'));
    cpSync(this.folder, kept, { recursive: true });
    return () => {
      for (const file of readdirSync(this.folder)) rmSync(join(this.folder, file));
      cpSync(kept, this.folder, { recursive: true });
      rmSync(kept, { recursive: true });
    };
  }

  /** Takes the saved state away from a closed journal. */
  removeState(): void {
    rmSync(this.statePath);
  }

  /** From now on no state can be saved by an open journal, as if the disk were full. */
  refuseState(): void {
    const database = new DatabaseSync(this.statePath);
    database.exec(`CREATE TRIGGER fail BEFORE INSERT ON state
      BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
    database.close();
  }

  /** Damages the first row of the saved state of a closed journal. */
  damageState(): void {
    const database = new DatabaseSync(this.statePath);
    database.exec('UPDATE state SET sealed = zeroblob(60) WHERE rowid = 1');
    database.close();
  }

  /** Stops the journal as a stop of the server does, and starts it again. */
  async reopen(journal: Journal, clock?: Clock): Promise<Journal> {
    await this.close(journal);
    return this.open(clock);
  }
}

/** A message with a body of its own. */
export function message(body: string, more: Partial<Entry> = {}): Entry {
  return {
    kind: 'message',
    atMs: 1_000,
    principal: 'pump-1',
    topic: 'd/pump-1/telemetry',
    kid: '1.1',
    body: Buffer.from(body),
    ...more,
  };
}

/** Resolves when everything before is durable. */
export function settled(journal: Journal): Promise<void> {
  return new Promise((resolve) => {
    journal.barrier(resolve);
  });
}

/** Everything that is saved, as text. */
export async function savedState(journal: Journal): Promise<Record<string, string>> {
  const saved: Record<string, string> = {};
  await journal.loadState((rows) => {
    for (const { key, value } of rows) saved[key] = Buffer.from(value).toString();
  });
  return saved;
}
