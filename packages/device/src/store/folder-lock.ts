/** Keeps the store of a device to one process at a time. @module */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeBusyError, storeError } from './store-error.ts';

/**
 * Takes a folder until the returned function is called, or the process ends, however it ends: the
 * lock is one of the operating system, on an empty SQLite file.
 * @throws DeviceError `E_DEVICE_STORE_BUSY`, `E_DEVICE_STORE`
 */
export function lockFolder(folder: string): () => void {
  let database: DatabaseSync | undefined;
  try {
    const path = join(folder, 'lock');
    // Whoever may read a file may lock it: another user would keep the device from its store.
    closeSync(openSync(path, 'a', 0o600));
    const taken = new DatabaseSync(path);
    database = taken;
    taken.exec('BEGIN EXCLUSIVE');
    return () => {
      if (taken.isOpen) taken.close();
    };
  } catch (cause) {
    database?.close();
    const isBusy = cause instanceof Error && /locked|busy/iu.test(cause.message);
    throw isBusy ? storeBusyError(folder, cause) : storeError(`${folder} cannot be locked`, cause);
  }
}
