/** Buckets of S3, at Ceph's object gateway: used, judged, refused; and a backup that goes there. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { restoreData } from '@holdfast/server';
import {
  type Radosgw,
  VirtualClock,
  startInProcess,
  startRadosgw,
  temporaryFolder,
  waitFor,
  whyNoRadosgw,
} from '@holdfast/testkit';
import {
  type BucketCheck,
  type Finding,
  bucketPolicies,
} from '../../packages/server/src/buckets/index.ts';
import { judgeBucket } from '../../packages/server/src/buckets/judge-bucket.ts';
import { judgeSettings } from '../../packages/server/src/buckets/judge-settings.ts';
import { isRisk } from '../../packages/server/src/buckets/judgements.ts';
import { s3Bucket } from '../../packages/server/src/buckets/s3-bucket.ts';
import { type S3, openS3 } from '../../packages/server/src/buckets/s3-client.ts';
import { Secret, systemClock, systemRandom } from '../../packages/server/src/kernel/index.ts';
import { SealedStore } from '../../packages/server/src/persistence/index.ts';
import { ArtifactStore } from '../../packages/server/src/update/index.ts';
import { present } from './firmware-people.ts';
import { freePort } from './free-port.ts';

type Rights = 'public-read' | 'authenticated-read' | 'private';

/** A gateway with an owner of buckets, the server's user, and a stranger with an account. */
async function openStore(t: TestContext, rgw: Radosgw) {
  const open = async (name: string): Promise<S3> => {
    const s3 = await openS3(placeOf(rgw, await rgw.addUser(name)));
    t.after(() => s3.close());
    return s3;
  };
  const [owner, holdfast, stranger] = [
    await open('owner'),
    await open('holdfast'),
    await open('stranger'),
  ];
  const { client, sdk } = owner;
  let made = 0;
  return {
    owner,
    holdfast,
    stranger,
    async makeBucket(rights: Rights = 'private'): Promise<string> {
      const Bucket = `fleet-${(made += 1)}`;
      await client.send(new sdk.CreateBucketCommand({ Bucket, ACL: rights }));
      return Bucket;
    },
    async setPolicy(Bucket: string, policy: object): Promise<void> {
      const Policy = JSON.stringify(policy);
      await client.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy }));
    },
    async keepVersions(Bucket: string): Promise<void> {
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await client.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    },
    async versions(Bucket: string): Promise<number> {
      const page = await client.send(new sdk.ListObjectVersionsCommand({ Bucket }));
      return (page.Versions ?? []).length + (page.DeleteMarkers ?? []).length;
    },
  };
}

function placeOf({ endpoint, caFile }: Pick<Radosgw, 'endpoint' | 'caFile'>, file: string) {
  return { region: 'us-east-1', endpoint, caFile, credentialsFile: file };
}

const judge = (s3: S3, bucket: string): Promise<Finding[]> =>
  judgeBucket(s3, { bucket, prefix: 'prod' }, (count) => new Uint8Array(randomBytes(count)));
const resultOf = (findings: readonly Finding[], check: BucketCheck): string | undefined =>
  findings.find((one) => one.check === check)?.result;

async function listed(bucket: ReturnType<typeof s3Bucket>, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.list(prefix)) keys.push(key);
  return keys.sort();
}

test('buckets of S3, at a real gateway', { skip: whyNoRadosgw() }, async (t) => {
  const rgw = await startRadosgw(t, { port: await freePort(), monitorPort: await freePort() });
  const store = await openStore(t, rgw);
  const { owner, holdfast, stranger } = store;

  await t.test('objects are put, got, listed, replaced and removed', async () => {
    const bucket = s3Bucket(owner, { bucket: await store.makeBucket(), prefix: 'a/b' });
    const beside = s3Bucket(owner, { bucket: 'fleet-1', prefix: 'a/b-c' });
    const large = randomBytes(4 * 1_024 * 1_024 + 28);
    assert.equal(await bucket.get('keys'), undefined);
    assert.equal(await bucket.head('keys'), undefined);
    await bucket.put('keys', Buffer.from('first'));
    await bucket.put('keys', Buffer.from('second'));
    await bucket.put('chunks/00/ff', large);
    await bucket.put('empty', Buffer.alloc(0));
    await beside.put('keys', Buffer.from('of another'));
    assert.equal(String(await bucket.get('keys')), 'second');
    assert.ok(large.equals((await bucket.get('chunks/00/ff')) ?? Buffer.alloc(0)));
    assert.equal((await bucket.get('empty'))?.length, 0);
    assert.equal(String(await bucket.getRange?.('keys', 1, 4)), 'eco');
    assert.equal((await bucket.getRange?.('keys', 2, 2))?.length, 0);
    assert.deepEqual(await bucket.head('chunks/00/ff'), { size: large.length });
    assert.deepEqual(await listed(bucket, ''), ['chunks/00/ff', 'empty', 'keys']);
    assert.deepEqual(await listed(bucket, 'chunks/'), ['chunks/00/ff']);
    await bucket.remove('keys');
    await bucket.remove('keys');
    assert.equal(await bucket.get('keys'), undefined);
    assert.equal(String(await beside.get('keys')), 'of another');
    await assert.rejects(bucket.put('../keys', large), { code: 'E_BUCKETS_KEY' });
  });

  await t.test('a list of more than one page is whole', async () => {
    const name = { bucket: await store.makeBucket(), prefix: '' };
    const bucket = s3Bucket(owner, name);
    const keys = Array.from({ length: 1_001 }, (_, at) => `k/${String(at).padStart(4, '0')}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => bucket.put(key, Buffer.from('x'))));
    }
    assert.deepEqual(await listed(bucket, 'k/'), keys);
  });

  await t.test(
    'where versions are kept, what is replaced or removed is gone for good',
    async () => {
      const name = await store.makeBucket();
      await store.keepVersions(name);
      const bucket = s3Bucket(owner, { bucket: name, prefix: 'prod' });
      await bucket.put('keys', Buffer.from('with the key of a device'));
      await bucket.put('keys-not', Buffer.from('another'));
      await bucket.put('keys', Buffer.from('without it'));
      assert.equal(await store.versions(name), 2, 'one of each');
      // A deletion by another program leaves a marker, and the object under it.
      const { client, sdk } = owner;
      await client.send(new sdk.DeleteObjectCommand({ Bucket: name, Key: 'prod/keys' }));
      assert.equal(await store.versions(name), 3);
      await bucket.remove('keys');
      assert.equal(await store.versions(name), 1);
      assert.equal(String(await bucket.get('keys-not')), 'another');
    },
  );

  await t.test('a private bucket passes, but for what the gateway does not tell', async () => {
    const findings = await judge(owner, await store.makeBucket());
    const of = (result: string) =>
      findings.filter((one) => one.result === result).map(({ check }) => check);
    assert.deepEqual(of('pass'), ['anonymous', 'acl', 'policy', 'removal', 'object-lock']);
    // Ceph 16 has no call for it, and answers with something else: no pass.
    assert.deepEqual(of('unknown'), ['encryption']);
    assert.deepEqual(of('fail'), ['public-access-block', 'tls-only', 'versioning', 'logging']);
    assert.deepEqual(
      findings.filter(isRisk).map(({ check }) => check),
      ['encryption'],
    );
  });

  await t.test('a bucket is found to be public by its ACL, and by trying', async () => {
    const open = await judge(owner, await store.makeBucket('public-read'));
    assert.equal(resultOf(open, 'acl'), 'fail');
    assert.equal(resultOf(open, 'anonymous'), 'fail');
    const accounts = await judge(owner, await store.makeBucket('authenticated-read'));
    assert.equal(resultOf(accounts, 'acl'), 'fail');
    assert.equal(resultOf(accounts, 'anonymous'), 'pass');
  });

  await t.test(
    'a bucket is found to be public by its policy, and by fetching from it',
    async () => {
      const name = await store.makeBucket();
      const everybody = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject' };
      const statement = { ...everybody, Resource: `arn:aws:s3:::${name}/*` };
      await store.setPolicy(name, { Version: '2012-10-17', Statement: [statement] });
      const findings = await judge(owner, name);
      assert.equal(resultOf(findings, 'policy'), 'fail');
      assert.equal(
        resultOf(findings, 'anonymous'),
        'fail',
        'it cannot be listed, but fetched from',
      );
      assert.equal(resultOf(findings, 'acl'), 'pass');
    },
  );

  await t.test('settings that are turned on pass', async () => {
    const name = await store.makeBucket();
    await store.keepVersions(name);
    const findings = await judge(owner, name);
    assert.equal(resultOf(findings, 'versioning'), 'pass');
    assert.equal(resultOf(findings, 'removal'), 'pass');
    assert.equal(await store.versions(name), 0, 'the probe leaves nothing');
    const { client, sdk } = owner;
    const { publicAccessBlock } = bucketPolicies({ bucket: name, prefix: '' });
    const set = { Bucket: name, PublicAccessBlockConfiguration: publicAccessBlock };
    await client.send(new sdk.PutPublicAccessBlockCommand(set));
    const { 'public-access-block': block } = await judgeSettings(owner, name);
    assert.equal(block.result, 'pass');
    // With BlockPublicAcls, Ceph 16 refuses each object: that is said, and is no finding.
    await assert.rejects(judge(owner, name), { code: 'E_BUCKETS_DENIED' });
  });

  await t.test('the printed bucket policy permits what is needed, and nothing else', async () => {
    const name = await store.makeBucket();
    const prod = { bucket: name, prefix: 'prod' };
    const before = s3Bucket(holdfast, prod);
    await assert.rejects(before.put('keys', Buffer.from('x')), { code: 'E_BUCKETS_DENIED' });
    await store.setPolicy(name, bucketPolicies(prod, 'arn:aws:iam:::user/holdfast').bucketPolicy);
    const findings = await judge(holdfast, name);
    for (const check of ['anonymous', 'policy', 'removal', 'tls-only', 'acl'] as const) {
      assert.equal(resultOf(findings, check), 'pass', check);
    }
    // It may not ask for that here: denied is unknown.
    assert.equal(resultOf(findings, 'encryption'), 'unknown');
    const ours = s3Bucket(holdfast, prod);
    assert.equal(await ours.get('keys'), undefined);
    assert.equal(await ours.head('keys'), undefined);
    await ours.put('keys', Buffer.from('content'));
    assert.equal(String(await ours.get('keys')), 'content');
    assert.deepEqual(await listed(ours, ''), ['keys']);
    const denied = { code: 'E_BUCKETS_DENIED' };
    const elsewhere = s3Bucket(holdfast, { bucket: name, prefix: 'other' });
    const others = s3Bucket(stranger, prod);
    for (const bucket of [elsewhere, others]) {
      await assert.rejects(bucket.put('keys', Buffer.from('x')), denied);
      await assert.rejects(bucket.get('keys'), denied);
      await assert.rejects(bucket.head('keys'), denied);
      await assert.rejects(listed(bucket, ''), denied);
      await assert.rejects(bucket.remove('keys'), denied);
    }
    const { client, sdk } = holdfast;
    const Policy = '{"Version":"2012-10-17","Statement":[]}';
    for (const ask of [
      () => client.send(new sdk.PutBucketPolicyCommand({ Bucket: name, Policy })),
      () => client.send(new sdk.DeleteBucketPolicyCommand({ Bucket: name })),
      () => client.send(new sdk.PutBucketAclCommand({ Bucket: name, ACL: 'public-read' })),
      () => client.send(new sdk.DeleteBucketCommand({ Bucket: name })),
      () => client.send(new sdk.ListObjectsV2Command({ Bucket: name })),
    ]) {
      await assert.rejects(ask(), { name: 'AccessDenied' });
    }
    await ours.remove('keys');
    assert.deepEqual(await listed(ours, ''), []);
  });

  await t.test('wrong credentials and a bucket that is not there are named', async () => {
    const file = join(temporaryFolder(t), 'wrong.json');
    const key = { accessKeyId: 'NOBODY', secretAccessKey: 'guess-this-secret' };
    writeFileSync(file, JSON.stringify(key), { mode: 0o600 });
    const wrong = await openS3(placeOf(rgw, file));
    const attempt = s3Bucket(wrong, { bucket: 'fleet-1', prefix: '' }).get('keys');
    await assert.rejects(attempt, (error: Error & { code: string }) => {
      assert.equal(error.code, 'E_BUCKETS_DENIED');
      assert.match(error.message, /InvalidAccessKeyId/u);
      assert.ok(!error.message.includes('guess-this-secret'));
      return true;
    });
    // A key that is replaced counts for the next request.
    writeFileSync(file, readFileSync(await rgw.addUser('rotated')), { mode: 0o600 });
    const later = s3Bucket(wrong, { bucket: 'fleet-1', prefix: '' }).get('keys');
    await assert.rejects(later, /AccessDenied/u);
    wrong.close();
    const absent = s3Bucket(owner, { bucket: 'no-such-bucket', prefix: '' });
    await assert.rejects(absent.get('keys'), { code: 'E_BUCKETS_NONE' });
    await assert.rejects(judge(owner, 'no-such-bucket'), { code: 'E_BUCKETS_NONE' });
    // A credentials file that others can read is not used.
    const exposed = join(temporaryFolder(t), 'exposed.json');
    writeFileSync(exposed, JSON.stringify(key), { mode: 0o644 });
    const careless = await openS3(placeOf(rgw, exposed));
    const read = s3Bucket(careless, { bucket: 'fleet-1', prefix: '' }).get('keys');
    await assert.rejects(read, { code: 'E_CRYPTO_AWS_FILE' });
    careless.close();
  });

  await t.test('an authority that nobody vouches for is refused', async () => {
    const { caFile: _caFile, ...place } = placeOf(rgw, await rgw.addUser('untrusting'));
    const s3 = await openS3(place);
    const attempt = s3Bucket(s3, { bucket: 'fleet-1', prefix: '' }).get('keys');
    await assert.rejects(attempt, { code: 'E_BUCKETS_UNREACHABLE' });
    s3.close();
  });

  await t.test('a server refuses a bucket until its risks are mended or accepted', async () => {
    const clock = new VirtualClock();
    const s3 = placeOf(rgw, await rgw.addUser('server'));
    const own = await openS3(s3);
    t.after(() => own.close());
    const server = await startInProcess(t, { clock, s3 });
    const { client } = server;
    await client.addDevice({ id: 'pump-with-a-name', class: 'sensor' });
    const [bucket, open] = [await store.makeBucket(), await store.makeBucket('public-read')];
    const rights = (name: string) =>
      bucketPolicies({ bucket: name, prefix: 'prod' }, 'arn:aws:iam:::user/server').bucketPolicy;
    await store.setPolicy(bucket, rights(bucket));
    await store.setPolicy(open, rights(open));
    const to = `s3://${bucket}/prod`;

    await assert.rejects(
      client.makeBackup({ to: `s3://${open}/prod` }),
      /acl: The ACL grants READ/u,
    );
    await assert.rejects(client.makeBackup({ to }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'E_BUCKETS_RISK');
      assert.match(error.message, /encryption: The store does not say/u);
      return true;
    });
    assert.deepEqual(await listed(s3Bucket(owner, { bucket, prefix: '' }), ''), []);
    const accept = { name: to, check: 'encryption', reason: 'the disks are encrypted', days: 30 };
    await assert.rejects(client.acceptBucket({ ...accept, check: 'nonsense' }), /no check/u);
    await assert.rejects(
      client.acceptBucket({ ...accept, check: 'policy' }),
      /Nothing is refused/u,
    );
    const acceptedView = await client.acceptBucket(accept);
    assert.ok(acceptedView.isUsable);
    const taken = acceptedView.findings.find(({ check }) => check === 'encryption')?.accepted;
    assert.equal(taken?.reason, 'the disks are encrypted');
    const acts = await client.acts();
    const act = acts.find(({ action }) => action === 'bucket.accept');
    assert.equal(act?.reason, 'the disks are encrypted');
    assert.equal(act.facts?.['result'], 'unknown');

    const backUp = async () => {
      await client.makeBackup({ to });
      return waitFor('the backup', async () => {
        const { run } = await client.backupStatus();
        return run?.state === 'running' ? undefined : run;
      });
    };
    const backUpWell = async (): Promise<void> => {
      const { state, why = '' } = await backUp();
      assert.equal(state, 'made', why);
    };
    await backUpWell();
    const keys = await listed(s3Bucket(owner, { bucket, prefix: '' }), '');
    assert.ok(keys.length > 2 && keys.every((key) => key.startsWith('prod/')), keys.join());
    for (const key of keys) {
      const bytes = await s3Bucket(own, { bucket, prefix: '' }).get(key);
      assert.ok(bytes !== undefined && !bytes.includes('pump-with-a-name'), key);
    }
    const unsealKeyFile = join(server.dataDir, 'unseal.key');
    const dataDir = join(temporaryFolder(t), 'restored');
    const restored = await restoreData({ from: to, dataDir, unsealKeyFile, s3 });
    assert.ok(restored.verified.ok);
    assert.equal(restored.devices, 1);

    // It becomes public: the look of the next day finds it, and refuses.
    const { client: admin, sdk } = owner;
    await admin.send(new sdk.PutBucketAclCommand({ Bucket: bucket, ACL: 'public-read' }));
    // Within a day of the last look.
    await backUpWell();
    clock.sleep(25 * 3_600_000);
    const found = await waitFor('the daily look', async () => {
      // Not by hours: what was accepted must not end while a slow gateway is looked at.
      clock.advance(60_000);
      const view = (await client.buckets()).find(({ name }) => name === to);
      return view?.isUsable === false ? view : undefined;
    });
    assert.equal(found.findings.find(({ check }) => check === 'acl')?.result, 'fail');
    await assert.rejects(client.makeBackup({ to }), { code: 'E_BUCKETS_RISK' });
    // Mended, it counts at once; later on, what was accepted has ended.
    await admin.send(new sdk.PutBucketAclCommand({ Bucket: bucket, ACL: 'private' }));
    await backUpWell();
    clock.sleep(31 * 86_400_000);
    assert.equal((await client.buckets()).find(({ name }) => name === to)?.isUsable, false);
  });

  await t.test('artifacts that are removed are gone from a bucket, after a crash too', async () => {
    const name = await store.makeBucket();
    await store.keepVersions(name);
    const bucket = s3Bucket(owner, { bucket: name, prefix: 'firmware' });
    const path = join(temporaryFolder(t), 'registry.db');
    const unsealKey = new Secret(systemRandom(32));
    const reopen = (): { artifacts: ArtifactStore; close: () => void } => {
      const sealed = new SealedStore(path, { unsealKey, random: systemRandom });
      const parts = { clock: systemClock, random: systemRandom, store: sealed, bucket };
      const artifacts = new ArtifactStore({ ...parts, onDamage: () => assert.fail('damage') });
      return { artifacts, close: () => sealed.close() };
    };
    const before = reopen();
    const put = (bytes: number) => before.artifacts.put(randomBytes(bytes), 'person:ada');
    const [kept, removed] = [present(await put(10)), present(await put(1_300_000))];
    const cut = present(before.artifacts.begin(1_000_000));
    await cut.write(randomBytes(600_000));
    before.artifacts.forget([removed.sha256]);
    assert.equal(await store.versions(name), 5);
    // The server is killed here: nothing of it has gone yet.
    before.close();
    const { artifacts, close } = reopen();
    t.after(close);
    assert.equal(artifacts.removing, 2);
    await artifacts.sweep();
    assert.deepEqual([artifacts.removing, await store.versions(name)], [0, 1]);
    assert.equal(artifacts.get(removed.sha256), undefined);
    const read = present(artifacts.get(kept.sha256)).read(0, 10);
    assert.equal(Buffer.concat(await Array.fromAsync(read)).length, 10);
    // What came after the backup that a server was restored from belongs to nothing.
    await bucket.put(`artifact/${'ab'.repeat(16)}/000000`, Buffer.from('sealed'));
    await artifacts.look();
    assert.deepEqual(artifacts.strays, { uploads: 1, bytes: 6 });
    artifacts.takeStrays();
    await artifacts.sweep();
    assert.equal(await store.versions(name), 1);
  });

  await t.test('a gateway that is away is named, and nothing waits for it for long', async () => {
    await rgw.stop();
    const attempt = s3Bucket(owner, { bucket: 'fleet-1', prefix: '' }).put('k', Buffer.from('x'));
    await assert.rejects(attempt, { code: 'E_BUCKETS_UNREACHABLE' });
  });
});
