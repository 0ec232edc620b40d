/** What there is of keys, in numbers: nothing that names a device or opens anything. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { KekVersion } from './kek-versions.ts';
import type { KeyUse } from './key-use.ts';
import type { Keyring } from './keyring.ts';
import { KEY_BYTES_PER_START, KEY_SEALINGS_PER_START } from './limits.ts';

/** The data keys of one purpose. */
export interface PurposeCount {
  readonly purpose: string;
  /** Those that seal. */
  readonly current: number;
  /** Those that only open what they sealed before. */
  readonly former: number;
  readonly destroyed: number;
  /** When the oldest one was made that seals; undefined for none. */
  readonly oldestAtMs: number | undefined;
  /** At most so much was sealed under one of those that seal. */
  readonly most: KeyUse;
}

/** A version of the key-encryption key, and how many data keys depend on it. */
export interface KekCount extends KekVersion {
  readonly dataKeys: number;
}

/** Counts keys. */
export class KeyCensus {
  readonly #database: DatabaseSync;
  readonly #keyring: Keyring;

  constructor(database: DatabaseSync, keyring: Keyring) {
    this.#database = database;
    this.#keyring = keyring;
  }

  /** Oldest first. */
  versions(): KekCount[] {
    const counts = new Map(
      this.#database
        .prepare(
          `SELECT kek_version, count(*) AS n FROM data_key WHERE wrapped IS NOT NULL
           GROUP BY kek_version`,
        )
        .all()
        .map((row) => [Number(row['kek_version']), Number(row['n'])] as const),
    );
    return this.#keyring.keks.all().map(({ version, createdAtMs, retiredAtMs }) => ({
      version,
      createdAtMs,
      retiredAtMs,
      dataKeys: counts.get(version) ?? 0,
    }));
  }

  /** In the order of their names. */
  purposes(): PurposeCount[] {
    return this.#database
      .prepare(
        `SELECT purpose,
           count(*) FILTER (WHERE wrapped IS NOT NULL AND retired_ms IS NULL) AS current,
           count(*) FILTER (WHERE wrapped IS NOT NULL AND retired_ms IS NOT NULL) AS former,
           count(*) FILTER (WHERE wrapped IS NULL) AS destroyed,
           min(created_ms) FILTER (WHERE wrapped IS NOT NULL AND retired_ms IS NULL) AS oldest,
           max(sealings + ${KEY_SEALINGS_PER_START} * max(0, (SELECT starts FROM key_use) - starts))
             FILTER (WHERE wrapped IS NOT NULL AND retired_ms IS NULL) AS sealings,
           max(bytes + ${KEY_BYTES_PER_START} * max(0, (SELECT starts FROM key_use) - starts))
             FILTER (WHERE wrapped IS NOT NULL AND retired_ms IS NULL) AS bytes
         FROM data_key GROUP BY purpose ORDER BY purpose`,
      )
      .all()
      .map((row) => ({
        purpose: String(row['purpose']),
        current: Number(row['current']),
        former: Number(row['former']),
        destroyed: Number(row['destroyed']),
        oldestAtMs: row['oldest'] === null ? undefined : Number(row['oldest']),
        most: { sealings: Number(row['sealings'] ?? 0), bytes: Number(row['bytes'] ?? 0) },
      }));
  }
}
