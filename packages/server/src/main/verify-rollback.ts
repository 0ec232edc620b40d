/** Whether registry and log of a stopped server belong together: the check of its next start. @module */
import type { DatabaseSync } from 'node:sqlite';
import { type LogFiles, type LogFinding, findRollback } from '../audit/index.ts';
import { systemRandom } from '../kernel/index.ts';
import { type Keyring, type OpenedState, RecordKeys, StoreState } from '../persistence/index.ts';
import { logFacts } from './log-facts.ts';

/** Names an older copy of the registry, of a record in it, or of the log. */
export function verifyRollback(
  registry: DatabaseSync,
  { keyring, files }: { readonly keyring: Keyring; readonly files: LogFiles },
): LogFinding[] {
  const state = openedState(registry, keyring);
  if (typeof state === 'string') return [{ what: `registry-changed: ${state}` }];
  const findings = findRollback({ registry: state, log: logFacts(files, keyring).log });
  return findings.map(({ name, what }) => ({ what: `${name}: ${what}` }));
}

function openedState(registry: DatabaseSync, keyring: Keyring): OpenedState | string {
  try {
    const keys = new RecordKeys(keyring);
    return new StoreState(registry, { keys, random: systemRandom }).opened;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
