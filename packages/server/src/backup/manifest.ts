import { hash } from 'node:crypto';
/** What a backup consists of: who made it, of what, and which chunks. @module */
import { z } from 'zod';
import type { KeyHandle } from '../crypto/index.ts';
import type { RandomBytes } from '../kernel/index.ts';
import type { BackupKey } from './backup-key.ts';
import { damagedFault } from './faults.ts';
import { openSignedText, readUnverified, signText } from './signed-text.ts';

/** The databases of a data folder that are backed up, in the order of their copying. */
export const BACKED_UP = ['registry', 'broker', 'series', 'log'] as const;
export type DatabaseName = (typeof BACKED_UP)[number];

const PURPOSE = 'manifest';
const ChunkSchema = z.object({
  name: z.string().regex(/^[0-9a-f]{64}$/u),
  bytes: z.int().min(1),
});
const TableSchema = z.object({
  name: z.string().regex(/^[a-z_]{1,64}$/u),
  /** The statement that makes it. */
  sql: z.string().startsWith('CREATE TABLE'),
  columns: z.int().min(1),
  rows: z.int().min(0),
  chunks: z.array(ChunkSchema),
});
const DatabaseSchema = z.object({
  name: z.enum(BACKED_UP),
  /** Version of its schema. */
  version: z.int().min(1),
  tables: z.array(TableSchema),
  /** Statements that make its indexes, once the rows are there. */
  indexes: z.array(z.string().startsWith('CREATE')),
});
const ArtifactSchema = z.object({
  /** Of the whole file, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/u),
  /** Id of its upload: names its objects where artifacts are kept. */
  id: z.string().regex(/^[0-9a-f]{32}$/u),
  /** Its objects as they are kept there, sealed, in order; none when it was not whole there. */
  chunks: z.array(ChunkSchema),
});
/** An artifact of updates in a backup. */
export type BackedUpArtifact = z.infer<typeof ArtifactSchema>;
const ArtifactsSchema = z.object({
  /** Where they are kept, when somebody has decided that backups leave them out. */
  leftOut: z.string().optional(),
  /** All that there were, also those that were left out, or were not whole. */
  all: z.array(ArtifactSchema),
});
/** The artifacts of a backup. */
export type BackedUpArtifacts = z.infer<typeof ArtifactsSchema>;

/** How a backup stands to artifacts, in numbers. */
export interface ArtifactsSummary {
  /** How many there were. */
  readonly count: number;
  /** How many of them were not whole where they are kept, and are in no backup either. */
  readonly missing: number;
  /** Where they are kept, when they were left out. */
  readonly leftOut?: string | undefined;
}

/** Counts the artifacts of a backup. */
export function artifactsSummary({ leftOut, all }: BackedUpArtifacts): ArtifactsSummary {
  const missing = all.filter(({ chunks }) => chunks.length === 0);
  return leftOut === undefined
    ? { count: all.length, missing: missing.length }
    : { count: all.length, missing: 0, leftOut };
}

/** The snapshot: every table, as chunks of rows. */
export const SnapshotSchema = z.object({
  databases: z.array(DatabaseSchema),
  /** Data keys that were destroyed by then. */
  destroyedKeyRefs: z.array(z.int()),
  /** Absent in backups of versions that copied no artifacts. */
  artifacts: ArtifactsSchema.optional(),
});
export type Snapshot = z.infer<typeof SnapshotSchema>;

const HeadSchema = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-z-]{1,64}$/u),
  at: z.iso.datetime(),
  /** Version of Holdfast. */
  software: z.string(),
  /** Name of the log. */
  origin: z.string(),
  verifierKey: z.string(),
  /** How the keys are kept, without which the backup is worthless. */
  custody: z.string(),
  /** Number of the data key that seals the backup; it stands among the keys. */
  keyRef: z.int(),
  /** Version of the key-encryption key at that time. */
  kekVersion: z.int(),
  /** The newest signed checkpoint of the log in it. */
  checkpoint: z.string(),
  /** Bytes of all chunks, before they were sealed. */
  bytes: z.int(),
  /** Sequence of the keys object beside it: an older one was put back by somebody. */
  keysSequence: z.int().min(1),
});
/** What everybody can read of a backup. */
export type ManifestHead = z.infer<typeof HeadSchema>;
const ManifestSchema = HeadSchema.extend({ sealed: z.base64() });

/** A manifest, opened. */
export interface Manifest extends ManifestHead {
  readonly snapshot: Snapshot;
}

/** Writes a manifest: its head readable, the list of chunks sealed, all of it signed. */
export function encodeManifest(
  { snapshot, ...head }: Manifest,
  { key, signer, random }: { key: BackupKey; signer: KeyHandle; random: RandomBytes },
): Buffer {
  const content = Buffer.from(JSON.stringify(snapshot), 'utf8');
  const sealed = key.sealPart(`${PURPOSE}/${head.id}`, content, random).toString('base64');
  return signText(PURPOSE, { ...head, sealed }, signer);
}

/** Reads the head alone, verified. @throws Fault `E_BACKUP_DAMAGED`. */
export function decodeHead(bytes: Buffer, verifierKey: string): ManifestHead {
  const { sealed: _sealed, ...head } = parse(openSignedText(PURPOSE, bytes, verifierKey));
  return head;
}

/** The key that a manifest claims, before anything is verified. */
export function claimedVerifierKey(bytes: Buffer): string {
  return parse(readUnverified(bytes)).verifierKey;
}

/** Reads a manifest, verified. @throws Fault `E_BACKUP_DAMAGED`, `E_CRYPTO_OPEN`. */
export function decodeManifest(
  bytes: Buffer,
  { key, verifierKey }: { key: BackupKey; verifierKey: string },
): Manifest {
  const { sealed, ...head } = parse(openSignedText(PURPOSE, bytes, verifierKey));
  const content = key.openPart(`${PURPOSE}/${head.id}`, Buffer.from(sealed, 'base64'));
  const snapshot = SnapshotSchema.safeParse(JSON.parse(content.toString('utf8')));
  if (!snapshot.success) throw damagedFault('its list of chunks has not its form');
  return { ...head, snapshot: snapshot.data };
}

/** Key of the object that holds a manifest. */
export function manifestObject(id: string): string {
  return `${MANIFEST_PREFIX}${id}`;
}
export const MANIFEST_PREFIX = 'backups/';
export const CHUNKS_PREFIX = 'chunks/';

/** An id that sorts by time, and after the one before it, whatever the clock was then. */
export function backupId(nowMs: number, random: RandomBytes, before?: ManifestHead): string {
  const atMs = Math.max(nowMs, before === undefined ? 0 : timeOf(before.id) + 1);
  const time = new Date(atMs).toISOString().replaceAll(/[-:.]/gu, '').toLowerCase();
  return `${time}-${Buffer.from(random(4)).toString('hex')}`;
}

/** The time in an id, in milliseconds; 0 where there is none. */
function timeOf(id: string): number {
  const match = /^(\d{4})(\d\d)(\d\dt\d\d)(\d\d)(\d\d)(\d{3}z)-/u.exec(id);
  if (match === null) return 0;
  const [, year, month, dayAndHour, minute, second, rest] = match;
  const iso = `${year}-${month}-${dayAndHour}:${minute}:${second}.${rest}`;
  return Date.parse(iso.toUpperCase()) || 0;
}

/** SHA-256 of a text, lower-case hex. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

function parse(value: unknown): z.infer<typeof ManifestSchema> {
  const parsed = ManifestSchema.safeParse(value);
  if (!parsed.success) throw damagedFault('its manifest has not its form');
  return parsed.data;
}
