/** The one object with the wrapped keys of a server: destroyed in it, a key is gone everywhere. @module */
import { z } from 'zod';
import type { KeyHandle } from '../crypto/index.ts';
import type { RandomBytes } from '../kernel/index.ts';
import { type KeysSummary, KeyTablesSchema } from '../persistence/index.ts';
import type { BackupKey } from './backup-key.ts';
import { damagedFault } from './faults.ts';
import { sha256Hex } from './manifest.ts';
import { openSignedText, readUnverified, signText } from './signed-text.ts';

/** Key of the object. */
export const KEYS_OBJECT = 'keys';
const PURPOSE = 'keys';

/** How far a device had counted when what it sent was erased; without names. */
export const ErasureSchema = z.object({
  /** The data keys that were destroyed. */
  keyRefs: z.array(z.int()).min(1),
  atMs: z.int(),
  /** Generation of its payload keys, and the highest counter under them. */
  seen: z.object({ generation: z.int(), upTo: z.int() }),
});
export type Erasure = z.infer<typeof ErasureSchema>;

const KeysSchema = z.object({
  version: z.literal(1),
  /** Name of the log: each server has its own. */
  origin: z.string(),
  verifierKey: z.string(),
  /** Counts up with each writing, so that an older one is told from a newer. */
  sequence: z.int().min(1),
  at: z.iso.datetime(),
  /** The file `custody.json`; null when the unseal key stands in a file. No secret. */
  custody: z.string().nullable(),
  /** Number of the data key that seals the rest. */
  keyRef: z.int(),
  tables: KeyTablesSchema,
  /** Sealed: {@link Erasure}s. */
  erasures: z.base64(),
});
/** What stands in the object. */
export type KeysObject = z.infer<typeof KeysSchema>;

/** What is put into a keys object. */
export interface KeysContent extends Omit<KeysObject, 'version' | 'erasures' | 'keyRef'> {
  readonly erasures: readonly Erasure[];
}

export function encodeKeys(
  { erasures, ...content }: KeysContent,
  { key, signer, random }: { key: BackupKey; signer: KeyHandle; random: RandomBytes },
): Buffer {
  const list = Buffer.from(JSON.stringify(erasures), 'utf8');
  const sealed = key.sealPart('erasures', list, random).toString('base64');
  const value: KeysObject = { version: 1, ...content, keyRef: key.ref, erasures: sealed };
  return signText(PURPOSE, value, signer);
}

/**
 * Reads a keys object.
 * @param verifierKey - Without it, the object's own is taken: it vouches for itself then, and
 *   what it unwraps has to prove the rest.
 * @throws Fault `E_BACKUP_DAMAGED`.
 */
export function decodeKeys(bytes: Buffer, verifierKey?: string): KeysObject {
  const key = verifierKey ?? parse(readUnverified(bytes)).verifierKey;
  return parse(openSignedText(PURPOSE, bytes, key));
}

/** The sealed part. @throws Fault `E_CRYPTO_OPEN`, `E_BACKUP_DAMAGED`. */
export function erasuresIn({ erasures }: KeysObject, key: BackupKey): Erasure[] {
  const text = key.openPart('erasures', Buffer.from(erasures, 'base64')).toString('utf8');
  const parsed = z.array(ErasureSchema).safeParse(JSON.parse(text));
  if (!parsed.success) throw damagedFault('its list of erasures has not its form');
  return parsed.data;
}

/**
 * Stands for all that must be brought to the destinations at once: how the keys are kept, and how
 * many are destroyed. A new data key can wait for the next backup.
 */
export function keysState(custody: string | null, summary: KeysSummary): string {
  const { keyEncryptionKeys, destroyed } = summary;
  return sha256Hex(JSON.stringify([custody, keyEncryptionKeys, destroyed]));
}

function parse(value: unknown): KeysObject {
  const parsed = KeysSchema.safeParse(value);
  if (!parsed.success) throw damagedFault('its keys have not their form');
  return parsed.data;
}
