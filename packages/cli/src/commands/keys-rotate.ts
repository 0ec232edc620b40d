/** `keys rotate`: a new key-encryption key. @module */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@holdfast/client';
import type { KeyStatus } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { paintFor } from '../paint.ts';
import { jsonLine } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';
import { keyStatusText } from './keys-status.ts';

/** How often it is asked how far the rotation is. */
const POLL_MS = 300;

/** Rotates the key-encryption key. */
export const keysRotate: Command = defineCommand(
  {
    path: 'keys rotate',
    summary: 'make a new key-encryption key, and end the one before',
    details:
      'All data keys are wrapped again in the background, and the old version is destroyed\n' +
      'then. No data is touched, devices notice nothing, and a server that stops in between\n' +
      'goes on after its next start. It does not help when the unseal key itself, or a data\n' +
      'key, became known: see docs/guides/keys.md.',
    options: {
      'no-wait': { type: 'boolean', help: 'do not wait until it is done' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['keys rotate'],
  },
  async (world, { values }) => {
    let status = await withStepUp(world, values.data, (client) => client.rotateKeys());
    if (values['no-wait'] !== true) {
      status = await withClient(world, values.data, (client) => watched(world, client, status));
    }
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(status));
    stdout.write(`${endText(status, world)}\n\n${keyStatusText(status, world)}`);
  },
);

function endText({ rotation, versions }: KeyStatus, { stdout }: World): string {
  const paint = paintFor(stdout);
  if (rotation === undefined) {
    const version = versions.at(-1)?.version ?? 0;
    return `${paint.good('✓ Rotated.')} Version ${version} wraps all data keys; the one before is gone.`;
  }
  return 'The rotation goes on by itself. How far it is: holdfast keys status';
}

/** Until all is wrapped again; for backups that are out of reach it does not wait. */
async function watched(world: World, client: Client, begun: KeyStatus): Promise<KeyStatus> {
  const progress = progressOn(world.stderr);
  let status = begun;
  try {
    while (status.rotation !== undefined && status.rotation.waitsFor.length === 0) {
      const { left, total } = status.rotation;
      progress.bar(total - left, total, `${total - left} of ${total} keys are wrapped again`);
      await wait(POLL_MS);
      status = await client.keyStatus();
    }
  } finally {
    progress.clear();
  }
  return status;
}
