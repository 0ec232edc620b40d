/** The wrapped keys of a data folder on their own, to be kept apart from what they seal. @module */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { Fault } from '../kernel/index.ts';

/**
 * The tables that hold wrapped keys, those first that others refer to. Everything else in the file
 * is worth nothing without them, so a copy without them can be erased by destroying keys here.
 */
export const KEY_TABLES = ['key_encryption_key', 'data_key'] as const;

const ValueSchema = z.union([z.null(), z.number(), z.string(), z.object({ base64: z.base64() })]);
const TableSchema = z.object({
  columns: z.array(z.string().regex(/^[a-z_]{1,64}$/u)).min(1),
  rows: z.array(z.array(ValueSchema)),
});
/** The rows of {@link KEY_TABLES}. They are wrapped: without the unseal key they open nothing. */
export const KeyTablesSchema = z.record(z.enum(KEY_TABLES), TableSchema);
export type KeyTables = z.infer<typeof KeyTablesSchema>;

/** Reads the wrapped keys out of a registry's file. */
export function readKeyTables(database: DatabaseSync): KeyTables {
  return {
    key_encryption_key: readTable(database, 'key_encryption_key'),
    data_key: readTable(database, 'data_key'),
  };
}

/**
 * Puts wrapped keys in the place of those that are there, as part of the caller's transaction.
 * @throws Fault `E_PERSISTENCE_VERSION` when they come from another version of Holdfast.
 */
export function writeKeyTables(database: DatabaseSync, tables: KeyTables): void {
  for (const table of KEY_TABLES.toReversed()) database.exec(`DELETE FROM ${table}`);
  for (const table of KEY_TABLES) {
    const { columns, rows } = tables[table];
    const known = columnsOf(database, table);
    if (columns.some((column) => !known.includes(column))) throw versionFault();
    const places = columns.map(() => '?').join(', ');
    const insert = database.prepare(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`,
    );
    for (const row of rows) insert.run(...row.map(fromValue));
  }
}

/** What changes with a key that is destroyed, or with those that wrap them, and costs little. */
export interface KeysSummary {
  readonly keyEncryptionKeys: KeyTables['key_encryption_key'];
  /** Data keys that were destroyed. */
  readonly destroyed: number;
}

/** Reads the {@link KeysSummary}: it is asked for with each look at the server. */
export function readKeysSummary(database: DatabaseSync): KeysSummary {
  const sql = 'SELECT count(*) AS destroyed FROM data_key WHERE wrapped IS NULL';
  return {
    keyEncryptionKeys: readTable(database, 'key_encryption_key'),
    destroyed: Number(database.prepare(sql).get()?.['destroyed']),
  };
}

/** Numbers of the data keys that were destroyed, in rising order. */
export function destroyedKeyRefs(tables: KeyTables): number[] {
  const { columns, rows } = tables.data_key;
  const [ref, wrapped] = [columns.indexOf('ref'), columns.indexOf('wrapped')];
  return rows
    .filter((row) => row[wrapped] === null)
    .map((row) => Number(row[ref]))
    .sort((a, b) => a - b);
}

type Value = z.infer<typeof ValueSchema>;

function readTable(
  database: DatabaseSync,
  table: (typeof KEY_TABLES)[number],
): KeyTables[(typeof KEY_TABLES)[number]] {
  const columns = columnsOf(database, table);
  const rows = database
    .prepare(`SELECT ${columns.join(', ')} FROM ${table} ORDER BY 1`)
    .all()
    .map((row) => columns.map((column) => toValue(row[column])));
  return { columns, rows };
}

function columnsOf(database: DatabaseSync, table: string): string[] {
  const rows = database.prepare('SELECT name FROM pragma_table_info(?)').all(table);
  return rows.map((row) => String(row['name']));
}

function toValue(value: unknown): Value {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (typeof value === 'number' || typeof value === 'string') return value;
  return null;
}

function fromValue(value: Value): null | number | string | Buffer {
  if (value === null || typeof value !== 'object') return value;
  return Buffer.from(value.base64, 'base64');
}

function versionFault(): Fault {
  return new Fault({
    code: 'E_PERSISTENCE_VERSION',
    what: 'These keys were written by another version of Holdfast.',
    fix: 'Use the version of Holdfast that wrote them.',
  });
}
