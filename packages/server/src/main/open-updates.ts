/** Firmware updates of a running server, joined to its parts. @module */
import { Refusal } from '@holdfast/protocol';
import { type Bucket, type Buckets, folderBucket } from '../buckets/index.ts';
import { Fault } from '../kernel/index.ts';
import { type UpdateParts, openUpdateParts } from '../update/index.ts';
import type { Context } from './context.ts';
import type { Metrics } from './metrics.ts';
import type { Audit, Registries, Storage } from './storage.ts';

/** The update system of a running server. */
export interface Updates extends UpdateParts {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
}

/** Opens it; nothing is signed by itself before `start`. */
export async function openUpdates(
  { options, clock, random, log, onUndo }: Context,
  parts: Pick<Storage, 'store' | 'folder'> &
    Pick<Registries, 'registry' | 'manufacturers'> &
    Pick<Audit, 'recordAct' | 'recordEvent'> & {
      readonly metrics: Metrics;
      readonly buckets: Pick<Buckets, 'open' | 'refusalOf'>;
    },
): Promise<Updates> {
  const { store, folder, recordAct, recordEvent, buckets, metrics } = parts;
  const name = options.firmwareBucket;
  const updates = openUpdateParts({
    clock,
    random,
    log,
    store,
    recordAct,
    recordEvent,
    registry: parts.registry,
    manufacturers: parts.manufacturers,
    bucket: name === undefined ? folderBucket(folder.firmware) : await openNamed(name, buckets),
    refusalOfBucket: () =>
      name === undefined ? Promise.resolve(undefined) : buckets.refusalOf(name),
    countDamage: metrics.countArtifactDamage,
  });
  const { artifacts, uploads, care, proofs } = updates;
  metrics.watchFirmware(() => care.ends());
  parts.registry.onChange(({ id, state }) => {
    if (state !== 'retired') return;
    updates.forget(id).catch((error: unknown) => {
      const event = { 'event.action': 'update.forget', 'event.outcome': 'failure' };
      log.error({ ...event, 'device.id': id, 'error.message': String(error) }, 'it stays assigned');
    });
  });
  const stop = async (): Promise<void> => {
    uploads.stop();
    proofs.stop();
    artifacts.stop();
    await care.stop();
  };
  onUndo(stop);
  return {
    ...updates,
    start: () => {
      care.start();
      proofs.start();
      artifacts.sweep().catch((error: unknown) => {
        const event = { 'event.action': 'update.sweep', 'event.outcome': 'failure' };
        log.error({ ...event, 'error.message': String(error) }, 'leftovers of uploads stay');
      });
      artifacts.look().catch((error: unknown) => {
        const event = { 'event.action': 'update.look', 'event.outcome': 'failure' };
        log.error({ ...event, 'error.message': String(error) }, 'artifacts may be missing');
      });
    },
    stop,
  };
}

async function openNamed(name: string, buckets: Pick<Buckets, 'open'>): Promise<Bucket> {
  const bucket = await buckets.open(name);
  if (!(bucket instanceof Refusal)) return bucket;
  throw new Fault({
    code: 'E_UPDATE_BUCKET',
    what: `Artifacts of updates cannot be kept at ${name}: ${bucket.detail}`,
    fix: 'Give --firmware-bucket s3://bucket/prefix, and the options of S3.',
  });
}
