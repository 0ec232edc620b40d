/** Recovery shares of the unseal key: for the day on which its keeper cannot be asked. @module */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  joinRecoveryShares,
  makeShares,
  parseShare,
  syncFolder,
  writeSecretFile,
  writeUnsealKey,
} from '../crypto/index.ts';
import { Fault, systemClock, systemRandom } from '../kernel/index.ts';
import { lockFolder } from '../persistence/index.ts';
import { existingFolder, requireOpens } from './change-custody.ts';
import { openUnsealKey } from './custody.ts';
import type { DataFolder } from './data-folder.ts';
import type { AskPassphrase } from './keepers.ts';
import { noteOfflineAct } from './offline-acts.ts';

const EscrowNoteSchema = z.object({
  version: z.literal(1),
  setId: z.string().regex(/^[0-9a-f]{8}$/u),
  /** ISO 8601, UTC. */
  madeAt: z.iso.datetime(),
  count: z.int().min(2).max(255),
  threshold: z.int().min(2).max(255),
});

/** What a data folder knows of the shares that were made last. No secret. */
export type EscrowNote = Readonly<z.infer<typeof EscrowNoteSchema>>;

/** What to make. */
export interface EscrowOptions {
  readonly dataDir: string;
  readonly count: number;
  readonly threshold: number;
  readonly askPassphrase?: AskPassphrase | undefined;
}

/**
 * Makes recovery shares of a stopped data folder.
 * @returns their texts, which are kept nowhere.
 * @throws Fault as `openUnsealKey`; `E_PERSISTENCE_IN_USE` while a server runs.
 */
export async function makeEscrow(
  options: EscrowOptions,
): Promise<{ note: EscrowNote; texts: readonly string[] }> {
  const { dataDir, count, threshold, askPassphrase } = options;
  const folder = existingFolder(dataDir);
  const lock = lockFolder(folder.path);
  try {
    const { key } = await openUnsealKey(folder, { random: systemRandom, askPassphrase });
    requireOpens(folder, key);
    const { setId, texts } = makeShares(key, { count, threshold, random: systemRandom });
    const madeAt = new Date(systemClock.nowMs()).toISOString();
    const note: EscrowNote = { version: 1, setId, madeAt, count, threshold };
    noteOfflineAct(folder, { action: 'keys.escrow', facts: { setId, count, threshold } });
    writeSecretFile(notePath(folder), `${JSON.stringify(note)}\n`);
    return { note, texts };
  } finally {
    lock.release();
  }
}

/** The shares that were made last; undefined when there are none. */
export function escrowOf(folder: DataFolder): EscrowNote | undefined {
  const path = notePath(folder);
  if (!existsSync(path)) return undefined;
  try {
    return EscrowNoteSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Whoever reads it must not rely on shares that may not exist.
    return undefined;
  }
}

/**
 * Opens a stopped data folder by shares: its unseal key is in a file of it again, and the keeper
 * that could not be asked is forgotten.
 * @param shares - Texts, at least as many as their threshold.
 * @throws Fault `E_CRYPTO_SHARE`, or `E_CRYPTO_OPEN` when they are of another folder.
 */
export function recoverUnsealKey(dataDir: string, shares: readonly string[]): void {
  const folder = existingFolder(dataDir);
  const lock = lockFolder(folder.path);
  try {
    const parsed = shares.map(parseShare);
    const key = joinRecoveryShares(parsed);
    try {
      requireOpens(folder, key);
    } catch (cause) {
      throw new Fault({
        code: 'E_CRYPTO_SHARE',
        what: 'The shares fit together, but do not open this data folder.',
        fix: 'Take the shares that were made of this folder, or of the one it is a copy of.',
        cause,
      });
    }
    const indexes = parsed.map(({ index }) => index);
    const facts = { setId: parsed[0]?.setId, indexes };
    // First: no crash leaves a key that was recovered without a word on the log.
    noteOfflineAct(folder, { action: 'keys.recover', facts });
    writeUnsealKey(folder.unsealKey, key);
    rmSync(folder.custody, { force: true });
    syncFolder(folder.path);
  } finally {
    lock.release();
  }
}

function notePath(folder: DataFolder): string {
  return join(folder.path, 'escrow.json');
}
