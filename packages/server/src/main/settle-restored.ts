/** Brings a restored folder up to what must hold after a restore, and puts it on its log. @module */
import { BackupRecords, type OpenedBackup } from '../backup/index.ts';
import { type Device, contentKeyRefsOf } from '../registry/index.ts';
import type { AskSecrets } from './ask-once.ts';
import { type Undo, openContext } from './context.ts';
import type { DataFolder } from './data-folder.ts';
import { createMetrics } from './metrics.ts';
import { type RestoredArtifacts, checkArtifacts } from './restored-artifacts.ts';
import { openAudit, openRegistries, openStorage } from './storage.ts';

/** What was found out of a restored folder. */
export interface RestoredFacts {
  /** Devices of which the past was erased after the backup was made, and stays erased. */
  readonly erasedDevices: number;
  /** Devices that are there. */
  readonly devices: number;
  readonly artifacts: RestoredArtifacts;
}

/**
 * Records on the restored log what it was restored from, and the erasures that came after the
 * backup, so that their destroyed keys are accounted for. A device whose key was destroyed gets a
 * new one, and its replay window goes on where it was at the erasure.
 */
export async function settleRestored(
  folder: DataFolder,
  { opened, from, ...asked }: { opened: OpenedBackup; from: string } & AskSecrets,
): Promise<RestoredFacts> {
  const undo: Undo[] = [];
  const ports = { broker: 0, api: 0, enroll: 0 };
  const context = openContext({ dataDir: folder.path, hosts: [], ports, ...asked }, (step) =>
    undo.push(step),
  );
  try {
    const storage = await openStorage(context);
    const { registry } = openRegistries(context, storage);
    const { recordAct } = await openAudit(context, storage, { registry, metrics: createMetrics() });
    const lost = newlyDestroyed(opened);
    const { id, at, checkpoint, snapshot } = opened.manifest;
    const artifacts = await checkArtifacts(context, storage, snapshot.artifacts);
    const facts = { backup: id, at, from, artifacts: summaryOf(artifacts) };
    await recordAct({
      action: 'server.restore',
      principal: 'local',
      facts: { ...facts, checkpoint, keyRefs: lost },
    });
    const reason = 'erased after the backup was made';
    const erased = registry.all().filter((device) => isErased(device, lost));
    for (const device of erased) {
      const keyRefs = contentKeyRefsOf(device).filter((ref) => lost.includes(ref));
      registry.eraseContent(device.id, seenUpTo(device, opened));
      await recordAct({
        action: 'device.erase',
        principal: 'local',
        target: device.id,
        reason,
        facts: { keyRefs },
      });
      for (const ref of keyRefs) lost.splice(lost.indexOf(ref), 1);
    }
    if (lost.length > 0) {
      await recordAct({
        action: 'device.erase',
        principal: 'local',
        reason,
        facts: { keyRefs: lost },
      });
    }
    adopt(storage.store, { opened, from });
    return { erasedDevices: erased.length, devices: registry.all().length, artifacts };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

/** In numbers: the log has no room for thousands of hashes. */
function summaryOf({ count, missing }: RestoredArtifacts): { count: number; missing: number } {
  return { count, missing: missing.length };
}

/** The keys at the destination were read: what this server writes there next is newer. */
function adopt(
  store: ConstructorParameters<typeof BackupRecords>[0],
  { opened: { keys, erasures }, from }: { opened: OpenedBackup; from: string },
): void {
  const records = new BackupRecords(store);
  const before = records.destinations.read(from) ?? { name: from, keysState: '' };
  records.destinations.write(from, { ...before, keysState: '', sequence: keys.sequence });
  for (const erasure of erasures) records.addErasure(erasure);
}

/** Keys that were there when the backup was made, and are destroyed now. */
function newlyDestroyed({ manifest, keys }: OpenedBackup): number[] {
  const { columns, rows } = keys.tables.data_key;
  const [ref, wrapped] = [columns.indexOf('ref'), columns.indexOf('wrapped')];
  const before = new Set(manifest.snapshot.destroyedKeyRefs);
  return rows
    .filter((row) => row[wrapped] === null)
    .map((row) => Number(row[ref]))
    .filter((one) => !before.has(one));
}

function isErased(device: Device, lost: readonly number[]): boolean {
  return contentKeyRefsOf(device).some((ref) => lost.includes(ref));
}

/** How far the device had counted when its past was erased; 0 where that is not known. */
function seenUpTo(device: Device, { erasures }: OpenedBackup): number {
  const refs = contentKeyRefsOf(device);
  const counters = erasures
    .filter(({ keyRefs, seen }) => {
      const isOfDevice = keyRefs.some((ref) => refs.includes(ref));
      return isOfDevice && seen.generation === device.payloadKeyGeneration;
    })
    .map(({ seen }) => seen.upTo);
  return Math.max(0, ...counters);
}
