/** Acts that were done while no server ran: noted in the folder, on the log at the next start. @module */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ActName, isActName } from '@holdfast/protocol';
import { z } from 'zod';
import type { RecordAct } from '../audit/index.ts';
import { requirePrivateFile, writeSecretFile } from '../crypto/index.ts';
import { Fault, systemClock } from '../kernel/index.ts';
import type { DataFolder } from './data-folder.ts';

const NotesSchema = z
  .array(
    z.object({
      action: z.custom<ActName>(isActName),
      /** ISO 8601, UTC. */
      at: z.iso.datetime(),
      facts: z.record(z.string(), z.unknown()),
    }),
  )
  .max(1_000);

/** An act without its time. No secrets. */
export interface OfflineAct {
  readonly action: ActName;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Notes an act; it is durable when this returns. */
export function noteOfflineAct(folder: DataFolder, { action, facts }: OfflineAct): void {
  const at = new Date(systemClock.nowMs()).toISOString();
  const notes = [...readNotes(folder), { action, at, facts }];
  writeSecretFile(notesPath(folder), `${JSON.stringify(notes)}\n`);
}

/** Puts what was noted on the log, and forgets the notes once it is durable there. */
export async function recordOfflineActs(folder: DataFolder, recordAct: RecordAct): Promise<void> {
  for (const { action, at, facts } of readNotes(folder)) {
    await recordAct({ action, principal: 'local', facts: { ...facts, at } });
  }
  rmSync(notesPath(folder), { force: true });
}

function readNotes(folder: DataFolder): z.infer<typeof NotesSchema> {
  const path = notesPath(folder);
  if (!existsSync(path)) return [];
  requirePrivateFile(path, 'E_MAIN_OFFLINE_ACTS');
  try {
    return NotesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Fault({
      code: 'E_MAIN_OFFLINE_ACTS',
      what: `${path}, which says what was done while no server ran, is damaged.`,
      fix: 'Find out who changed it; keep a copy as evidence, and remove it.',
      cause,
    });
  }
}

function notesPath(folder: DataFolder): string {
  return join(folder.path, 'offline-acts.json');
}
