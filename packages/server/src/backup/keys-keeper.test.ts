/** The keys at several destinations, of which one is in trouble. @module */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { verifierKeyText } from '../audit/index.ts';
import { type Bucket, folderBucket } from '../buckets/index.ts';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { BackupKey } from './backup-key.ts';
import { BackupRecords } from './destinations.ts';
import { KeysKeeper, type Replaced } from './keys-keeper.ts';
import { KEYS_OBJECT, decodeKeys } from './keys-object.ts';

/** For keys that are on their way: a busy disk may take seconds to keep them. */
const WAIT_MS_MAX = 60_000;

function openLab(t: TestContext, wrap: (name: string, bucket: Bucket) => Bucket) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  const registryPath = join(folder, 'registry.db');
  const custody = { unsealKey: new Secret(systemRandom(32)), random: systemRandom };
  const store = new SealedStore(registryPath, custody);
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const signer = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
  const origin = 'holdfast/lab';
  const log = { origin, verifierKey: verifierKeyText(origin, signer) };
  const records = new BackupRecords(store);
  const bucketOf = (name: string): Bucket => folderBucket(join(folder, name));
  for (const name of ['a', 'b'])
    records.destinations.write(name, { name, sequence: 0, keysState: '' });
  const keeper = new KeysKeeper({
    clock: systemClock,
    random: systemRandom,
    records,
    registryPath,
    custodyPath: join(folder, 'custody.json'),
    log,
    signer,
    key: () => {
      const { ref, key } = store.keyring.only('backup');
      return new BackupKey(ref, key);
    },
    open: (name) => Promise.resolve(wrap(name, bucketOf(name))),
  });
  const pending = (): string[] => keeper.pending().map(({ name }) => name);
  const sequenceAt = async (name: string): Promise<number> =>
    decodeKeys((await bucketOf(name).get(KEYS_OBJECT)) ?? assert.fail(name)).sequence;
  return { store, keeper, records, pending, bucketOf, sequenceAt };
}

test('a destination that never answers keeps the keys from no other', async (t) => {
  const { promise: never } = Promise.withResolvers<undefined>();
  let hung = '';
  const { keeper, records, pending, sequenceAt } = openLab(t, (name, bucket) =>
    name === hung ? hanging(bucket, never) : bucket,
  );
  // Their order is that of their blind indexes.
  const [first = '', second = ''] = records.destinations.all().map(({ name }) => name);
  hung = first;
  void keeper.bringAll();
  const endMs = systemClock.monotonicMs() + WAIT_MS_MAX;
  while (pending().includes(second) && systemClock.monotonicMs() < endMs) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(pending(), [hung]);
  assert.equal(await sequenceAt(second), 1);
});

test('keys that were not put are behind, and are not taken for put back', async (t) => {
  let isAway = false;
  const { keeper, pending, sequenceAt } = openLab(t, (name, bucket) =>
    isAway && name === 'a' ? failing(bucket) : bucket,
  );
  assert.equal(await keeper.bringAll(), 0);
  assert.deepEqual(pending(), []);
  assert.deepEqual(await replacedOf(keeper), []);
  isAway = true;
  await assert.rejects(keeper.bring('a', failing(folderBucket('/nowhere'))), /away/u);
  assert.deepEqual(pending(), ['a'], 'whether it has them is not known');
  isAway = false;
  assert.deepEqual(await replacedOf(keeper), []);
  assert.equal(await keeper.bringAll(), 0);
  assert.deepEqual(pending(), []);
  assert.equal(await sequenceAt('a'), 3);
});

test('keys that are removed, or put back, are found', async (t) => {
  const { keeper, bucketOf } = openLab(t, (_name, bucket) => bucket);
  await keeper.bringAll();
  const older = (await bucketOf('a').get(KEYS_OBJECT)) ?? assert.fail('no keys');
  await keeper.bring('a', bucketOf('a'));
  await bucketOf('a').put(KEYS_OBJECT, older);
  await bucketOf('b').remove(KEYS_OBJECT);
  const found = new Map((await replacedOf(keeper)).map((one) => [one.name, one]));
  assert.deepEqual(found.get('a'), { name: 'a', found: 1, wanted: 2 });
  assert.deepEqual(found.get('b'), { name: 'b', found: 0, wanted: 1 });
  assert.equal(await keeper.bringAll(), 0);
  assert.deepEqual(await replacedOf(keeper), []);
});

test('a destination that is forgotten while keys are brought stays forgotten', async (t) => {
  const lab = openLab(t, (_name, bucket) => bucket);
  const { keeper, records, bucketOf } = lab;
  const bucket = bucketOf('a');
  const put: Bucket['put'] = async (key, bytes) => {
    records.destinations.remove('a');
    await bucket.put(key, bytes);
  };
  await keeper.bring('a', { ...methodsOf(bucket), put });
  assert.equal(records.destinations.read('a'), undefined);
});

async function replacedOf(keeper: KeysKeeper): Promise<Replaced[]> {
  const found: Replaced[] = [];
  await keeper.findReplaced((one) => {
    found.push(one);
    return Promise.resolve();
  });
  return found;
}

function hanging(bucket: Bucket, never: Promise<undefined>): Bucket {
  return { ...methodsOf(bucket), get: () => never };
}

function failing(bucket: Bucket): Bucket {
  return { ...methodsOf(bucket), put: () => Promise.reject(new Error('it is away')) };
}

function methodsOf(bucket: Bucket): Bucket {
  return {
    name: bucket.name,
    put: (key, bytes) => bucket.put(key, bytes),
    get: (key) => bucket.get(key),
    list: (prefix) => bucket.list(prefix),
    remove: (key) => bucket.remove(key),
    head: (key) => bucket.head(key),
  };
}
