/** The parts that every other one needs: artifacts, repository, director, reports; joined. @module */
import { Refusal, parseDeviceId } from '@holdfast/protocol';
import type { RecordAct, RecordEvent } from '../audit/index.ts';
import type { Bucket } from '../buckets/index.ts';
import type { Clock, Log, RandomBytes } from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';
import { DeviceDirector } from './director/device-director.ts';
import { OnlineKeys } from './online-keys.ts';
import { BootProofs } from './posture/boot-proofs.ts';
import type { TpmManufacturer } from './posture/endorsement.ts';
import { DeviceReports } from './reports.ts';
import { type ArtifactDamage, ArtifactStore } from './repository/artifact-store.ts';
import { ImageRepository } from './repository/image-repository.ts';
import { RepositoryCare } from './repository/repository-care.ts';
import { Uploads } from './repository/uploads.ts';
import { AdvisoryList } from './sbom/advisory-list.ts';
import { Vulnerabilities } from './sbom/vulnerabilities.ts';
import { VersionSequence } from './version-sequence.ts';

/** What the parts need from the rest of the server. */
export interface UpdatePartsDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly store: SealedStore;
  readonly recordAct: RecordAct;
  readonly recordEvent: RecordEvent;
  readonly registry: Pick<DeviceRegistry, 'byId' | 'columns' | 'setBoot'>;
  /** Whose certificates of TPMs are believed. */
  readonly manufacturers: { all(): readonly TpmManufacturer[] };
  /** Where artifacts are kept. */
  readonly bucket: Bucket;
  /** Why nothing new may be put there. */
  readonly refusalOfBucket?: () => Promise<Refusal | undefined>;
  /** Counts a damaged chunk. */
  readonly countDamage?: () => void;
}

/** The parts of the update system that all others stand on. */
export interface UpdateParts {
  readonly artifacts: ArtifactStore;
  readonly uploads: Uploads;
  readonly keys: OnlineKeys;
  readonly releases: ImageRepository;
  readonly director: DeviceDirector;
  readonly reports: DeviceReports;
  readonly care: RepositoryCare;
  readonly proofs: BootProofs;
  readonly advisories: AdvisoryList;
  readonly vulnerabilities: Vulnerabilities;
  /** Forgets what is known of the updates of a device. */
  readonly forget: (device: string) => Promise<void>;
}

/** Opens the parts; nothing is signed by itself before `care.start`. */
export function openUpdateParts(deps: UpdatePartsDeps): UpdateParts {
  const { clock, log, store, recordEvent } = deps;
  const artifacts = new ArtifactStore({ ...deps, onDamage: tellDamage(deps) });
  const keys = new OnlineKeys({ store, clock });
  const versions = new VersionSequence({ store, clock });
  const releases = new ImageRepository({ ...deps, artifacts, keys, versions });
  const director = new DeviceDirector({
    ...deps,
    keys,
    versions,
    sources: {
      get published() {
        return releases.published;
      },
      byId: (id) => releases.byId(id),
      rootFile: (name) => releases.documents.file('director', name),
    },
  });
  const { columns } = deps.registry;
  const reports = new DeviceReports({ clock, log, store, columns });
  const proofs = new BootProofs({ ...deps, releases, director, reports });
  const advisories = new AdvisoryList({ store, artifacts });
  const refusalOf = deps.refusalOfBucket ?? (() => Promise.resolve(undefined));
  return {
    artifacts,
    uploads: new Uploads({ ...deps, artifacts, refusalOf }),
    keys,
    releases,
    director,
    reports,
    proofs,
    advisories,
    vulnerabilities: new Vulnerabilities({ list: advisories, releases }),
    care: new RepositoryCare({ clock, log, recordEvent, repository: releases }),
    forget: async (device) => {
      const id = parseDeviceId(device);
      if (id instanceof Refusal) return;
      await director.assign(id, undefined);
      director.forget(device);
      reports.forget(device);
    },
  };
}

/** Each device of a rollout may read a chunk: the log is told once of each. */
function tellDamage({
  log,
  recordEvent,
  countDamage = () => {},
}: UpdatePartsDeps): (damage: ArtifactDamage) => void {
  const told = new Set<string>();
  return (damage) => {
    countDamage();
    const event = { 'event.action': 'update.artifact-damaged', 'event.outcome': 'failure' };
    log.error({ ...event, ...damage }, 'an artifact was changed where it is kept');
    const key = `${damage.sha256}/${damage.index}`;
    if (told.has(key)) return;
    told.add(key);
    recordEvent({ name: 'update.artifact-damaged', facts: { ...damage } }).catch(() => {
      told.delete(key);
    });
  };
}
