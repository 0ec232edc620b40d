/** Lets two processes change the same file one after the other. @module */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MUTEX_WAIT_MS_MAX } from './limits.ts';
import { slotsError } from './slots.ts';

/**
 * Runs `task` while no other process runs one on this folder. The lock is one of the operating
 * system on an empty SQLite file, so it ends with its process.
 * @throws DeviceError `E_DEVICE_SLOTS` when another process keeps it too long
 */
export function withFolder<T>(folder: string, task: () => T): T {
  const path = join(folder, 'boot.lock');
  // Whoever may read a file may lock it: another user would keep the device from starting.
  closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path, { timeout: MUTEX_WAIT_MS_MAX });
  try {
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      const fix = 'Look for a holdfast-agent that hangs, and end it.';
      throw slotsError(`Another process keeps ${folder}`, { fix, cause });
    }
    return task();
  } finally {
    database.close();
  }
}
