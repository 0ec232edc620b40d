/** Reads what stands in the journal under several data keys, one after the other. @module */
import type { DataKey } from '../persistence/index.ts';
import type { JournaledEntry } from './journal-reader.ts';
import type { Journal } from './journal.ts';

/**
 * Entries under any of these keys, newest first, with indexes below `before`; at most `limit`, and
 * fewer only at the end.
 * @param keys - Newest first. Each one has sealed nothing since there is the one before it in this
 *   list, so that all its entries are older: it is asked only when those are not enough.
 */
export async function readNewest(
  journal: Pick<Journal, 'read'>,
  keys: readonly DataKey[],
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<JournaledEntry[]> {
  const entries: JournaledEntry[] = [];
  for (const key of keys) {
    if (entries.length >= limit) break;
    entries.push(...(await journal.read(key, { before, limit: limit - entries.length })));
  }
  return entries;
}
