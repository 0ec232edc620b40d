/** One database as it was at a moment, read row by row while others write it. @module */
import { DatabaseSync } from 'node:sqlite';
import { KEY_TABLES } from '../persistence/index.ts';
import type { ChunkRef } from './backup-key.ts';
import { Chunker } from './chunker.ts';
import type { DatabaseName, Snapshot } from './manifest.ts';
import { type SqlValue, encodeRow } from './row-codec.ts';

type DatabaseParts = Snapshot['databases'][number];
type TableParts = DatabaseParts['tables'][number];

/** Takes the content of a chunk in; gives how it is named. */
export type TakeChunk = (content: Buffer) => Promise<ChunkRef>;

interface Table {
  readonly name: string;
  readonly sql: string;
}

/** A read transaction on a database. Writers go on; their write-ahead log grows meanwhile. */
export class DatabaseSnapshot {
  readonly name: DatabaseName;
  readonly #database: DatabaseSync;

  constructor(name: DatabaseName, path: string) {
    this.name = name;
    this.#database = new DatabaseSync(path, { readOnly: true });
  }

  /** Begins: from now on it reads what was there at this moment. */
  begin(): void {
    this.#database.exec('BEGIN');
    // A transaction of SQLite begins with the first read.
    this.#database.prepare('SELECT count(*) FROM sqlite_schema').get();
  }

  /** For what is read besides the rows. */
  get database(): DatabaseSync {
    return this.#database;
  }

  /** Reads all tables, in the order of their keys. Of the keys themselves only the tables. */
  async copy(take: TakeChunk): Promise<DatabaseParts> {
    const version = Number(this.#get('PRAGMA user_version')['user_version']);
    const schema = this.#database
      .prepare(
        `SELECT type, name, sql FROM sqlite_schema
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid`,
      )
      .all();
    const tables: TableParts[] = [];
    for (const row of schema) {
      if (row['type'] !== 'table') continue;
      tables.push(await this.#copyTable({ name: text(row['name']), sql: text(row['sql']) }, take));
    }
    const indexes = schema.filter((row) => row['type'] !== 'table').map((row) => text(row['sql']));
    return { name: this.name, version, tables, indexes };
  }

  close(): void {
    this.#database.close();
  }

  async #copyTable({ name, sql }: Table, take: TakeChunk): Promise<TableParts> {
    const info = this.#database.prepare('SELECT name, pk FROM pragma_table_info(?)').all(name);
    const columns = info.map((row) => text(row['name']));
    const parts = { name, sql, columns: columns.length };
    const isOfKeys: readonly string[] = KEY_TABLES;
    if (this.name === 'registry' && isOfKeys.includes(name)) {
      return { ...parts, rows: 0, chunks: [] };
    }
    const keyColumns = info
      .filter((row) => Number(row['pk']) > 0)
      .sort((a, b) => Number(a['pk']) - Number(b['pk']))
      .map((row) => text(row['name']));
    const key = keyColumns.length === 0 ? columns.slice(0, 1) : keyColumns;
    const statement = this.#database.prepare(
      `SELECT ${columns.map(quoted).join(', ')} FROM ${quoted(name)}
       ORDER BY ${key.map(quoted).join(', ')}`,
    );
    statement.setReadBigInts(true);
    const chunker = new Chunker();
    const chunks: ChunkRef[] = [];
    let rows = 0;
    for (const row of statement.iterate()) {
      rows += 1;
      const values = columns.map((column) => row[column] as SqlValue);
      const rowKey = encodeRow(key.map((column) => row[column] as SqlValue));
      for (const content of chunker.add(encodeRow(values), rowKey)) {
        chunks.push(await take(content));
      }
    }
    const rest = chunker.end();
    if (rest !== undefined) chunks.push(await take(rest));
    return { ...parts, rows, chunks };
  }

  #get(sql: string): Record<string, unknown> {
    return this.#database.prepare(sql).get() ?? {};
  }
}

/** A name as SQL writes it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a schema without texts');
  return value;
}
