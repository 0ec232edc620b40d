/** Opens a database that another thread of the server writes. @module */
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../kernel/index.ts';

/**
 * Opens a database of this server to read it while it is written: each statement sees what is
 * committed by then. The folder is locked by this process, and the writer has opened the file.
 * @throws Fault `E_PERSISTENCE_OPEN`.
 */
export function openReader(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true });
  } catch (cause) {
    throw new Fault({
      code: 'E_PERSISTENCE_OPEN',
      what: `${path} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`,
      fix: 'Check that the folder exists, is yours, and has space left.',
      cause,
    });
  }
}
