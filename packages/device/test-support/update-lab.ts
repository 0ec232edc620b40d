/** Both update repositories and their server in memory, for tests. @module */
import { type KeyObject, createHash, generateKeyPairSync, sign } from 'node:crypto';
import {
  type Release,
  type ReleaseCustom,
  type Repository,
  attachSignature,
  canonicalBytes,
  keyOf,
  newDirectorTargets,
  newLine,
  newRoot,
  newSnapshot,
  newTargets,
  newTimestamp,
  releaseId,
  toBytes,
  unsigned,
} from '@holdfast/firmware';
import { ScriptedFetch } from './scripted-fetch.ts';
import { VirtualClock } from './virtual-clock.ts';

export const DAY_MS = 24 * 3_600_000;
export const LAB_DEVICE = 'thermostat-1';
export const LAB_HARDWARE = 'thermo-a';
export const LAB_LINE = 'thermo';

/** A key with both halves. */
export interface LabKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function labKey(): LabKey {
  return generateKeyPairSync('ed25519');
}

type Document = Parameters<typeof canonicalBytes>[0];

/** Signs a document as a file. */
export function signed(document: Document, keys: readonly LabKey[]): Buffer {
  const metadata = unsigned(document);
  const bytes = canonicalBytes(document);
  for (const { privateKey, publicKey } of keys) {
    const keyId = keyOf(publicKey).keyID;
    attachSignature(metadata, { keyId, signature: sign(null, bytes, privateKey) });
  }
  return toBytes(metadata);
}

function roleOf(keys: readonly LabKey[], threshold: number) {
  return { keys: keys.map(({ publicKey }) => keyOf(publicKey)), threshold };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Makes a release of an image. */
export function labRelease(image: Uint8Array, custom: Partial<ReleaseCustom> = {}): Release {
  const all = { line: LAB_LINE, version: '2.0.0', hardware: [LAB_HARDWARE], counter: 7, ...custom };
  const path = `${all.line}/${all.version}/image.bin`;
  return { id: releaseId(all), path, length: image.length, sha256: sha256Of(image), custom: all };
}

/** How something is published otherwise than it should be. */
export interface Publishing {
  readonly expiresMs?: number;
  readonly keys?: readonly LabKey[];
  readonly version?: number;
}

/** A server with both repositories. Each `publish…` writes the next version, and all above it. */
export class UpdateLab {
  readonly clock = new VirtualClock();
  readonly fetch = new ScriptedFetch(this.clock);
  readonly keys = {
    root: [labKey(), labKey(), labKey()],
    release: [labKey(), labKey(), labKey()],
    image: [labKey()],
    director: [labKey()],
  };
  /** Newest version of each file, by repository and role. */
  readonly versions = new Map<string, number>();
  readonly roots: Record<Repository, Buffer>;
  /** Device that the director writes for. */
  device = LAB_DEVICE;
  #releases: readonly Release[] = [];

  constructor() {
    this.publishRoot('image');
    this.publishRoot('director');
    this.roots = {
      image: this.file('image', '1.root.json'),
      director: this.file('director', '1.root.json'),
    };
    this.publishTargets();
    this.publishLine([]);
    this.publishDirector(undefined);
  }

  file(repository: Repository, name: string): Buffer {
    const found = this.fetch.files.get(`/update/v1/${repository}/${name}`);
    if (found === undefined) throw new Error(`no ${repository} ${name}`);
    return found;
  }

  put(repository: Repository, name: string, bytes: Buffer): void {
    this.fetch.files.set(`/update/v1/${repository}/${name}`, bytes);
  }

  /** Serves an artifact. */
  serve(bytes: Buffer): void {
    this.fetch.files.set(`/update/v1/artifact/${sha256Of(bytes)}`, bytes);
  }

  /** Publishes a root with the keys of now; signed by `keys`. */
  publishRoot(repository: Repository, publishing: Publishing = {}): void {
    const { root, image, director } = this.keys;
    const online = roleOf(repository === 'image' ? image : director, 1);
    const people = roleOf(root, 2);
    const document = newRoot({
      ...this.#dated(repository, 'root', publishing, 365 * DAY_MS),
      repository,
      root: people,
      targets: repository === 'image' ? people : online,
      snapshot: online,
      timestamp: online,
    });
    const keys = publishing.keys ?? root.slice(0, 2);
    this.put(repository, `${document.version}.root.json`, signed(document, keys));
  }

  publishTargets(publishing: Publishing = {}): void {
    const dated = this.#dated('image', 'targets', publishing, 365 * DAY_MS);
    const lines = [{ line: LAB_LINE, ...roleOf(this.keys.release, 2) }];
    const keys = publishing.keys ?? this.keys.root.slice(0, 2);
    const bytes = signed(newTargets({ ...dated, lines }), keys);
    this.put('image', `${dated.version}.targets.json`, bytes);
  }

  /** Publishes the releases of the line, then snapshot and timestamp. */
  publishLine(releases: readonly Release[], publishing: Publishing = {}): void {
    this.#releases = releases;
    const dated = this.#dated('image', `line-${LAB_LINE}`, publishing, 365 * DAY_MS);
    const document = newLine({ ...dated, line: LAB_LINE, releases });
    const keys = publishing.keys ?? this.keys.release.slice(0, 2);
    this.put('image', `${dated.version}.line-${LAB_LINE}.json`, signed(document, keys));
    this.publishOnline('image');
  }

  publishDirector(release: Release | undefined, publishing: Publishing = {}): void {
    const dated = this.#dated('director', 'targets', publishing, 7 * DAY_MS);
    const document = newDirectorTargets({ ...dated, device: this.device, release });
    const keys = publishing.keys ?? this.keys.director;
    this.put('director', `${dated.version}.targets.json`, signed(document, keys));
    this.publishOnline('director');
  }

  /** Publishes snapshot and timestamp. */
  publishOnline(repository: Repository, publishing: Publishing = {}): void {
    const keys = publishing.keys ?? this.keys[repository];
    const scope = repository === 'image' ? { repository } : { repository, device: this.device };
    const roles = repository === 'image' ? ['targets', `line-${LAB_LINE}`] : ['targets'];
    const files = roles.map((role) => {
      const version = this.versions.get(`${repository} ${role}`) ?? 0;
      return {
        name: `${role}.json`,
        version,
        bytes: this.file(repository, `${version}.${role}.json`),
      };
    });
    const snapshotDates = this.#dated(repository, 'snapshot', publishing, 7 * DAY_MS);
    const snapshot = signed(newSnapshot({ ...snapshotDates, scope, files }), keys);
    this.put(repository, `${snapshotDates.version}.snapshot.json`, snapshot);
    this.publishTimestamp(repository, publishing);
  }

  publishTimestamp(repository: Repository, publishing: Publishing = {}): void {
    const keys = publishing.keys ?? this.keys[repository];
    const scope = repository === 'image' ? { repository } : { repository, device: this.device };
    const version = this.versions.get(`${repository} snapshot`) ?? 0;
    const snapshot = { version, bytes: this.file(repository, `${version}.snapshot.json`) };
    const dated = this.#dated(repository, 'timestamp', publishing, DAY_MS);
    const bytes = signed(newTimestamp({ ...dated, scope, snapshot }), keys);
    this.put(repository, 'timestamp.json', bytes);
  }

  /** Publishes a release and assigns it. */
  release(image: Buffer, custom: Partial<ReleaseCustom> = {}): Release {
    const release = labRelease(image, custom);
    this.serve(image);
    this.publishLine([...this.#releases, release]);
    this.publishDirector(release);
    return release;
  }

  #dated(repository: Repository, role: string, publishing: Publishing, lifeMs: number) {
    const key = `${repository} ${role}`;
    const version = publishing.version ?? (this.versions.get(key) ?? 0) + 1;
    this.versions.set(key, version);
    return { version, expiresMs: publishing.expiresMs ?? this.clock.nowMs() + lifeMs };
  }
}
