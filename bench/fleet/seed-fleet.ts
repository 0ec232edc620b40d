/** Makes the devices and services of a benchmark. @module */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { FleetSize } from './fleet.ts';

/** Makes them in a process of its own, so that the folder is closed when a server opens it. */
export function seedFleet(size: FleetSize & { readonly folder: string }): void {
  const args = [join(import.meta.dirname, 'seed.ts'), JSON.stringify(size)];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error('the fleet could not be made');
}
