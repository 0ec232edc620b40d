/** The backups of a running server, joined to its storage. @module */
import { realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { type Refusal, refuse } from '@holdfast/protocol';
import { Backups, folderRefusal, isPlainPath } from '../backup/index.ts';
import type { Bucket, Buckets } from '../buckets/index.ts';
import { softwareKeyHandle } from '../crypto/index.ts';
import type { ArtifactStore } from '../update/index.ts';
import { artifactSource } from './artifact-source.ts';
import type { Context } from './context.ts';
import type { Metrics } from './metrics.ts';
import type { Audit, Storage } from './storage.ts';
import { VERSION } from './version.ts';

/** Opens where backups go; a Refusal for a name of no known form. */
export type OpenBucket = (name: string) => Promise<Bucket | Refusal>;

const FOLDER = /^folder:(?<path>\/.*)$/u;

function pathOf(name: string): string | undefined {
  return FOLDER.exec(name)?.groups?.['path'];
}

function invalid(detail: string): Promise<Refusal> {
  return Promise.resolve(refuse('E_OPERATE_INPUT', detail));
}

/** Opens the backups of a server; they are not by themselves made before `start`. */
export function openBackups(
  { options, clock, random, log, onUndo }: Context,
  parts: Storage &
    Pick<Audit, 'recordAct'> & {
      readonly metrics: Metrics;
      readonly updates: { readonly artifacts: ArtifactStore };
      readonly buckets: Pick<Buckets, 'open' | 'refusalOf'>;
    },
): Backups {
  const { buckets, updates } = parts;
  const { store, folder, custody, identity, recordAct, metrics } = parts;
  const openOutside: OpenBucket = (name) => {
    const path = pathOf(name);
    if (path === undefined) return buckets.open(name);
    // Erasures and prunings know a destination by its name: one folder must not have two.
    if (!isPlainPath(path)) return invalid('Name the folder without "..", "//" or "/" at its end.');
    // It would be lost with what it is a backup of.
    const isInside = !relative(realpathSync(folder.path), path).startsWith('..');
    return isInside ? invalid('A backup does not go into the data folder.') : buckets.open(name);
  };
  const backups = new Backups({
    clock,
    random,
    log,
    recordAct,
    store,
    paths: {
      registry: folder.registry,
      log: folder.log,
      broker: folder.broker,
      series: folder.series,
    },
    artifacts: artifactSource(updates.artifacts, options.firmwareBucket),
    custodyPath: folder.custody,
    custody: custody.name,
    software: VERSION,
    origin: { origin: identity.log.origin, verifierKey: identity.log.verifierKey },
    signer: softwareKeyHandle('Ed25519', identity.log.signingKey),
    openBucket: openOutside,
    judgeBucket: (name) => {
      const path = pathOf(name);
      return path === undefined ? buckets.refusalOf(name) : folderRefusal(path);
    },
    countBackup: metrics.countBackup,
  });
  onUndo(() => backups.stop());
  return backups;
}
