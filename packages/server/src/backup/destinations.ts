/** Where this server has put backups: remembered, as every erasure has to reach them. @module */
import { z } from 'zod';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { ErasureSchema } from './keys-object.ts';

const BackupFactsSchema = z.object({
  id: z.string(),
  atMs: z.int(),
  /** Bytes of all chunks, and of those that were new. */
  bytes: z.int(),
  newBytes: z.int(),
  /** Absent when it was made by a version that copied no artifacts. */
  artifacts: z
    .object({ count: z.int(), missing: z.int(), leftOut: z.string().optional() })
    .optional(),
});
/** A backup that was made. */
export type BackupFacts = z.infer<typeof BackupFactsSchema>;

export const DestinationSchema = z.object({
  /** `folder:/path` or `s3://bucket/prefix`. */
  name: z.string(),
  /** Highest sequence of the keys object that this server has begun to write there. */
  sequence: z.int(),
  /** What the keys object there stands for; see `keysState`. */
  keysState: z.string(),
  /** Of the last attempt, where it failed. */
  failure: z.object({ atMs: z.int(), what: z.string() }).optional(),
  lastBackup: BackupFactsSchema.optional(),
});
/** A destination as it is remembered. */
export type Destination = Readonly<z.infer<typeof DestinationSchema>>;

const ScheduleSchema = z.object({ to: z.string(), everyMs: z.int() });
/** When backups are made without being asked for. */
export type Schedule = Readonly<z.infer<typeof ScheduleSchema>>;

const DrillSchema = z.object({
  atMs: z.int(),
  backup: z.string(),
  from: z.string(),
  isGood: z.boolean(),
  findings: z.int(),
});
/** A trial of a restore. */
export type Drill = Readonly<z.infer<typeof DrillSchema>>;

const SettingsSchema = z.object({
  schedule: ScheduleSchema.optional(),
  lastDrill: DrillSchema.optional(),
  /** The bucket whose artifacts backups leave out, as it is backed up otherwise. */
  artifactsLeftOut: z.string().optional(),
  /** When a backup by schedule was last tried. */
  triedAtMs: z.int().optional(),
});
export type BackupSettings = Readonly<z.infer<typeof SettingsSchema>>;

const ONLY = 'only';

/** What is remembered of backups and erasures, in the sealed store. */
export class BackupRecords {
  readonly destinations: Collection<Destination>;
  readonly #settings: Collection<BackupSettings>;
  readonly #erasures: Collection<z.infer<typeof ErasureSchema>>;

  constructor(store: Pick<SealedStore, 'collection'>) {
    this.destinations = store.collection('backup-destination', DestinationSchema);
    this.#settings = store.collection('backup-settings', SettingsSchema);
    this.#erasures = store.collection('backup-erasure', ErasureSchema);
  }

  get settings(): BackupSettings {
    return this.#settings.read(ONLY) ?? {};
  }

  change(change: Partial<BackupSettings>): void {
    this.#settings.write(ONLY, { ...this.settings, ...change });
  }

  /** Those erasures of which a backup made before may still have the past. */
  erasures(): z.infer<typeof ErasureSchema>[] {
    return this.#erasures.all().sort((a, b) => a.atMs - b.atMs);
  }

  addErasure(erasure: z.infer<typeof ErasureSchema>): void {
    this.#erasures.write(String(erasure.keyRefs[0]), erasure);
  }
}
