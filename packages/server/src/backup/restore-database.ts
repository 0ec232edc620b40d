/** Makes a database again out of the chunks of a backup; goes on where it was stopped. @module */
import { DatabaseSync } from 'node:sqlite';
import type { Bucket } from '../buckets/index.ts';
import { transaction } from '../persistence/index.ts';
import type { BackupKey, ChunkRef } from './backup-key.ts';
import { quoted } from './database-snapshot.ts';
import { damagedFault } from './faults.ts';
import type { Snapshot } from './manifest.ts';
import { decodeRows } from './row-codec.ts';

type DatabaseParts = Snapshot['databases'][number];
type TableParts = DatabaseParts['tables'][number];

/** Chunks that are fetched ahead of the one that is written. */
const FETCHED_AHEAD = 3;
const PROGRESS_TABLE = 'restore_progress';

/** From where, and how. */
export interface RestoreSource {
  readonly bucket: Bucket;
  readonly key: BackupKey;
  /** Told the bytes of each chunk that is done. */
  readonly onChunk: (bytes: number) => void;
}

/**
 * Writes a database to `path`. Each chunk is checked against its name before a row of it is taken,
 * and is one transaction; the file tells by itself how far it is.
 * @throws Fault `E_BACKUP_DAMAGED`, `E_CRYPTO_OPEN`.
 */
export async function restoreDatabase(
  path: string,
  parts: DatabaseParts,
  source: RestoreSource,
): Promise<void> {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    if (versionOf(database) === parts.version) {
      for (const { bytes } of parts.tables.flatMap(({ chunks }) => chunks)) source.onChunk(bytes);
      return;
    }
    transaction(database, () => {
      database.exec(
        `CREATE TABLE IF NOT EXISTS ${PROGRESS_TABLE} (name TEXT PRIMARY KEY, chunks INTEGER)`,
      );
    });
    for (const table of parts.tables) await restoreTable(database, table, source);
    transaction(database, () => {
      for (const sql of parts.indexes) database.exec(sql);
      database.exec(`DROP TABLE ${PROGRESS_TABLE}`);
      database.exec(`PRAGMA user_version = ${parts.version}`);
    });
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

async function restoreTable(
  database: DatabaseSync,
  table: TableParts,
  source: RestoreSource,
): Promise<void> {
  const done = beginTable(database, table);
  for (const { bytes } of table.chunks.slice(0, done)) source.onChunk(bytes);
  const places = Array.from({ length: table.columns }, () => '?').join(', ');
  const insert = database.prepare(`INSERT INTO ${quoted(table.name)} VALUES (${places})`);
  const note = database.prepare(`UPDATE ${PROGRESS_TABLE} SET chunks = ? WHERE name = ?`);
  let at = done;
  for await (const content of contents(table.chunks.slice(done), source)) {
    at += 1;
    transaction(database, () => {
      for (const row of decodeRows(content, table.columns)) insert.run(...row);
      note.run(at, table.name);
    });
    source.onChunk(content.length);
  }
  const sql = `SELECT count(*) AS rows FROM ${quoted(table.name)}`;
  const rows = Number(database.prepare(sql).get()?.['rows']);
  if (rows !== table.rows) throw damagedFault(`${table.name} has ${rows} rows, not ${table.rows}`);
}

/** Makes a table unless it is there; gives how many of its chunks are. */
function beginTable(database: DatabaseSync, { name, sql }: TableParts): number {
  const select = `SELECT chunks FROM ${PROGRESS_TABLE} WHERE name = ?`;
  const row = database.prepare(select).get(name);
  if (row !== undefined) return Number(row['chunks']);
  transaction(database, () => {
    database.exec(sql);
    database.prepare(`INSERT INTO ${PROGRESS_TABLE} VALUES (?, 0)`).run(name);
  });
  return 0;
}

/** The contents of chunks, in order; the next ones are on their way meanwhile. */
export async function* contents(
  chunks: readonly ChunkRef[],
  { bucket, key }: Pick<RestoreSource, 'bucket' | 'key'>,
): AsyncGenerator<Buffer> {
  const fetched: Promise<Buffer>[] = [];
  const ask = (chunk: ChunkRef | undefined): void => {
    if (chunk === undefined) return;
    const asked = fetchChunk(bucket, key, chunk);
    // Whoever takes it hears of its failure; until then nobody listens.
    asked.catch(() => {});
    fetched.push(asked);
  };
  for (const chunk of chunks.slice(0, FETCHED_AHEAD)) ask(chunk);
  for (let at = FETCHED_AHEAD; fetched.length > 0; at += 1) {
    ask(chunks[at]);
    const next = fetched.shift();
    if (next !== undefined) yield await next;
  }
}

async function fetchChunk(bucket: Bucket, key: BackupKey, chunk: ChunkRef): Promise<Buffer> {
  const sealed = await bucket.get(key.objectOf(chunk.name));
  if (sealed === undefined) throw damagedFault(`chunk ${chunk.name} is gone`);
  return key.openChunk(chunk, sealed);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}
