/** Opens the embedded database files. @module */
import { closeSync, existsSync, fchmodSync, openSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Fault } from '../kernel/index.ts';

/** How a database file is opened. */
export interface OpenDatabaseOptions {
  /** SQL that creates the tables of an empty file. */
  readonly schema: string;
  /** Version of the schema, written into the file; another version is refused. */
  readonly version: number;
}

/**
 * Opens a database to write it: an acknowledged commit is on the disk (write-ahead log,
 * synchronous=FULL). The folder has to be locked, see `lockFolder`; other threads may read.
 * @throws Fault `E_PERSISTENCE_IN_USE`, `E_PERSISTENCE_VERSION`, `E_PERSISTENCE_OPEN`.
 */
export function openDatabase(path: string, { schema, version }: OpenDatabaseOptions): DatabaseSync {
  keepToOwner(path);
  const database = connect(path);
  try {
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    // Deleted rows must not linger in free pages: erasure and one-time secrets rely on it.
    database.exec('PRAGMA secure_delete = ON');
    database.exec('BEGIN IMMEDIATE');
    const found = versionOf(database);
    if (found === 0) database.exec(`${schema}; PRAGMA user_version = ${version}`);
    else if (found !== version) throw versionFault(path, { found, wanted: version });
    requireSchema(database, { schema, path });
    database.exec('COMMIT');
    return database;
  } catch (cause) {
    database.close();
    throw openFault(path, cause);
  }
}

/** A database that is only read. */
export interface ReadOnlyDatabase {
  readonly database: DatabaseSync;
  readonly close: () => void;
}

/**
 * Opens a database to read it, and leaves the folder as it was.
 * @throws Fault `E_PERSISTENCE_IN_USE` when a server runs on it, `E_PERSISTENCE_VERSION` or
 *   `E_PERSISTENCE_OPEN`.
 */
export function openDatabaseReadOnly(path: string, wanted: OpenDatabaseOptions): ReadOnlyDatabase {
  try {
    // A running server and a killed one leave a write-ahead log, a clean stop does not. Without
    // one, nothing but the file itself counts, and SQLite need not make files beside it.
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
    if (log === undefined || log.size === 0) return checkFormat(openImmutable(path), path, wanted);
    const index = `${path}-shm`;
    const hadIndex = existsSync(index);
    const database = new DatabaseSync(path, { readOnly: true });
    const close = (): void => {
      database.close();
      if (!hadIndex) rmSync(index, { force: true });
    };
    return checkFormat({ database, close }, path, wanted);
  } catch (cause) {
    throw openFault(path, cause);
  }
}

/**
 * Opens a database of this server to read it while another thread writes it: each statement sees
 * what is committed by then. The folder is locked by this process. Of the format only the version
 * is checked: whoever opens the file to write checks all of it.
 * @throws Fault `E_PERSISTENCE_VERSION`, `E_PERSISTENCE_OPEN`.
 */
export function openReader(
  path: string,
  { version }: Pick<OpenDatabaseOptions, 'version'>,
): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    const found = versionOf(database);
    if (found === version) return database;
    database.close();
    throw versionFault(path, { found, wanted: version });
  } catch (cause) {
    throw openFault(path, cause);
  }
}

/**
 * Whether a database has ever been written: a crash in the first start can leave an empty file.
 * @throws Fault `E_PERSISTENCE_OPEN`.
 */
export function wasWritten(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return versionOf(database) !== 0;
    } finally {
      database.close();
    }
  } catch (cause) {
    throw openFault(path, cause);
  }
}

function checkFormat(
  opened: ReadOnlyDatabase,
  path: string,
  { schema, version }: OpenDatabaseOptions,
): ReadOnlyDatabase {
  try {
    const found = versionOf(opened.database);
    if (found !== version) throw versionFault(path, { found, wanted: version });
    requireSchema(opened.database, { schema, path });
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
}

/**
 * A damaged name of a column shows only when it is used, and a trigger or a view that somebody
 * added would act unseen: the file has what the schema makes, to the letter, and nothing else.
 */
function requireSchema(
  database: DatabaseSync,
  { schema, path }: { readonly schema: string; readonly path: string },
): void {
  const wanted = new DatabaseSync(':memory:');
  try {
    wanted.exec(schema);
    if (schemaOf(database) === schemaOf(wanted)) return;
  } finally {
    wanted.close();
  }
  throw openFault(path, new Error('its tables, indexes or triggers are malformed or not ours'));
}

function schemaOf(database: DatabaseSync): string {
  const sql = 'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name';
  return JSON.stringify(database.prepare(sql).all());
}

function openImmutable(path: string): ReadOnlyDatabase {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  const database = new DatabaseSync(url, { readOnly: true });
  return { database, close: () => database.close() };
}

/** Runs `task` in one transaction: all of its writes happen, or none. */
export function transaction<T>(database: DatabaseSync, task: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = task();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** SQLite gives its log files the mode of the database, so this covers them too. */
function keepToOwner(path: string): void {
  try {
    const file = openSync(path, 'a', 0o600);
    fchmodSync(file, 0o600);
    closeSync(file);
  } catch (cause) {
    throw openFault(path, cause);
  }
}

function connect(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (cause) {
    throw openFault(path, cause);
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function versionFault(path: string, { found, wanted }: { found: number; wanted: number }): Fault {
  return new Fault({
    code: 'E_PERSISTENCE_VERSION',
    what: `${path} was written by another version of Holdfast (format ${found}, not ${wanted}).`,
    fix: 'Start the version of Holdfast that wrote it.',
  });
}

function openFault(path: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  if (cause instanceof Error && /locked|busy/i.test(cause.message)) {
    return new Fault({
      code: 'E_PERSISTENCE_IN_USE',
      what: `${path} is in use: another Holdfast runs on this data folder.`,
      fix: 'Stop the other one, or choose another folder with --data.',
      cause,
    });
  }
  return new Fault({
    code: 'E_PERSISTENCE_OPEN',
    what: `${path} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`,
    fix: 'Check that the folder exists, is yours, and has space left.',
    cause,
  });
}
