/** Databases, buckets and keys for the tests of backups. @module */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { verifierKeyText } from '../audit/index.ts';
import { type Bucket, folderBucket } from '../buckets/index.ts';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { KEYRING_SCHEMA } from '../persistence/index.ts';
import type { ArtifactFacts, ArtifactSource } from './artifact-source.ts';
import type { MakeBackupOptions } from './make-backup.ts';

const MIB = 1_024 * 1_024;

/** A log of some MiB, the other databases nearly empty, and no series. */
export function openBackupLab(t: TestContext, { mebibytes = 12 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const paths = {
    registry: join(folder, 'registry.db'),
    broker: join(folder, 'broker.db'),
    series: join(folder, 'series.db'),
    log: join(folder, 'log.db'),
  };
  make(paths.registry, `${KEYRING_SCHEMA} CREATE TABLE record (id TEXT PRIMARY KEY, sealed BLOB)`);
  make(paths.broker, 'CREATE TABLE state (lookup BLOB PRIMARY KEY, sealed BLOB NOT NULL)');
  const log = make(
    paths.log,
    `CREATE TABLE batch (first INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
     CREATE INDEX by_size ON batch (length(sealed));
     CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL)`,
  );
  const append = (count: number): void => {
    const insert = log.prepare('INSERT INTO batch (sealed) VALUES (?)');
    for (let n = 0; n < count; n += 1) insert.run(randomBytes(MIB / 4));
  };
  append(mebibytes * 4);
  log.exec("INSERT INTO checkpoint VALUES (1, 'older'), (2, 'newest')");
  t.after(() => log.close());
  const signer = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
  const origin = 'holdfast/lab';
  const verifierKey = verifierKeyText(origin, signer);
  const dataKey = { ref: 7, key: new Secret(systemRandom(32)), spend: () => {} };
  const head = { software: '0.0.0', origin, verifierKey, custody: 'lab', kekVersion: 1 };
  const artifacts = new FakeArtifacts();
  const optionsFor = (bucket: Bucket): MakeBackupOptions => ({
    bucket,
    paths,
    artifacts: { ...artifacts.source, isLeftOut: false },
    totalBytes: 0,
    dataKey,
    signer,
    clock: systemClock,
    random: systemRandom,
    head,
    bringKeys: () => Promise.resolve(1),
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  const bucket = folderBucket(join(folder, 'backups'));
  return { folder, paths, log, append, optionsFor, bucket, dataKey, verifierKey, artifacts };
}

function make(path: string, schema: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL; ${schema}; PRAGMA user_version = 3`);
  return database;
}

/** Artifacts in memory, that tell what was read of them. */
export class FakeArtifacts {
  readonly #objects = new Map<string, (Buffer | undefined)[]>();
  /** `<id>/<index>` of what was read. */
  readonly reads: string[] = [];
  /** How many hold them now. */
  holders = 0;

  /** Adds one, whose objects have random content. */
  add(count: number): { id: string; sha256: string; objects: (Buffer | undefined)[] } {
    const [id, sha256] = [randomBytes(16).toString('hex'), randomBytes(32).toString('hex')];
    const objects: (Buffer | undefined)[] = Array.from({ length: count }, () =>
      randomBytes(10_000),
    );
    this.#objects.set(`${sha256}/${id}`, objects);
    return { id, sha256, objects };
  }

  remove({ id, sha256 }: { id: string; sha256: string }): void {
    this.#objects.delete(`${sha256}/${id}`);
  }

  get source(): ArtifactSource {
    return {
      place: 's3://fleet/firmware',
      totalBytes: () => 0,
      hold: () => {
        this.holders += 1;
        return {
          list: () => this.#list(),
          read: ({ sha256, id }, index) => {
            this.reads.push(`${id}/${index}`);
            return Promise.resolve(this.#objects.get(`${sha256}/${id}`)?.[index]);
          },
          release: () => Promise.resolve(void (this.holders -= 1)),
        };
      },
    };
  }

  #list(): ArtifactFacts[] {
    return [...this.#objects].map(([name, objects]) => {
      const [sha256 = '', id = ''] = name.split('/');
      return { sha256, id, count: objects.length };
    });
  }
}

/** A bucket of which one operation fails after some calls. */
export function failingBucket(bucket: Bucket, operation: 'get' | 'put', calls: number) {
  const done: string[] = [];
  const guard = (key: string): void => {
    if (done.length >= calls) throw new Error('the line is cut');
    done.push(key);
  };
  const failing: Bucket = {
    name: bucket.name,
    put: async (key, bytes) => {
      if (operation === 'put') guard(key);
      await bucket.put(key, bytes);
    },
    get: async (key) => {
      if (operation === 'get') guard(key);
      return bucket.get(key);
    },
    list: (prefix) => bucket.list(prefix),
    remove: (key) => bucket.remove(key),
    head: (key) => bucket.head(key),
  };
  return { bucket: failing, done };
}
