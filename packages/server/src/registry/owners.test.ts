import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Secret, systemClock, systemRandom as random } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { APP_SEEN_STEP_MS } from './limits.ts';
import { type OwnerChange, Owners } from './owners.ts';

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-owners-'));
  const key = { unsealKey: new Secret(random(32)), random };
  const store = new SealedStore(join(folder, 'registry.db'), key);
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  let nowMs = Date.UTC(2026, 10, 21);
  const clock = { ...systemClock, nowMs: () => nowMs };
  const load = (): Owners => new Owners(store, { clock, random });
  return { load, owners: load(), advance: (ms: number) => (nowMs += ms), now: () => nowMs };
}

function pair(owners: Owners, deviceId: string, ownerId = owners.newOwnerId()): string {
  const { record: code } = owners.makeCode(deviceId);
  owners.keepCode(code);
  const appId = owners.newAppId(ownerId);
  const certificate = { fingerprint: `f-${appId}`, spkiHash: 's', notAfterMs: 9 };
  const used = { spkiHash: 's', atMs: 0, appId, certificatePem: '' };
  owners.addApp({ ownerId, appId, certificate, used, code });
  return appId;
}

test('a pairing is there both ways, and after a restart', (t) => {
  const { owners, load } = open(t);
  const appId = pair(owners, 'pump-1');
  for (const each of [owners, load()]) {
    const owner = each.ownerOf('pump-1') ?? assert.fail();
    assert.match(owner, /^owner:[a-z2-7]{20}$/);
    assert.equal(each.app(appId)?.ownerId, owner);
    assert.ok(appId.startsWith(`${owner.slice(6)}.`), 'the name of the app says whose it is');
    assert.deepEqual(
      each.pairingsOf(owner).map(({ deviceId }) => deviceId),
      ['pump-1'],
    );
  }
});

test('a device has one owner at a time', (t) => {
  const { owners } = open(t);
  pair(owners, 'pump-1');
  assert.throws(() => pair(owners, 'pump-1'), /has an owner/);
  owners.release('pump-1');
  pair(owners, 'pump-1');
});

test('what a release ends: the pairing, its code, and a right of every app of the owner', (t) => {
  const { owners, load } = open(t);
  const first = pair(owners, 'pump-1');
  const owner = owners.ownerOf('pump-1') ?? assert.fail();
  const { record: invitation } = owners.makeCode(owner);
  const appId = owners.newAppId(owner);
  const certificate = { fingerprint: 'f', spkiHash: 's', notAfterMs: 9 };
  const used = { spkiHash: 's', atMs: 0, appId, certificatePem: '' };
  owners.addApp({ ownerId: owner, appId, certificate, used, code: invitation });
  const other = pair(owners, 'pump-2');
  const changes: OwnerChange[] = [];
  owners.onChange((change) => changes.push(change));
  assert.equal(owners.release('pump-1'), owner);
  assert.deepEqual(new Set(changes[0]?.lost), new Set([`app:${first}`, `app:${appId}`]));
  assert.equal(changes[0]?.deviceId, 'pump-1');
  assert.ok(!changes.some(({ lost }) => lost.includes(`app:${other}`)));
  for (const each of [owners, load()]) {
    assert.equal(each.ownerOf('pump-1'), undefined);
    assert.deepEqual(each.pairingsOf(owner), []);
  }
  assert.equal(owners.release('pump-1'), undefined);
});

test('a code is found as it is typed, and no other; the one before it is void', (t) => {
  const { owners } = open(t);
  const first = owners.makeCode('pump-1');
  assert.equal(owners.matchCode('pump-1', first.code.expose()), undefined, 'not kept yet');
  owners.keepCode(first.record);
  const typed = first.code.expose().toLowerCase().replaceAll('-', ' ');
  assert.deepEqual(owners.matchCode('pump-1', typed), first.record);
  assert.equal(owners.matchCode('pump-2', typed), undefined);
  const second = owners.makeCode('pump-1');
  owners.keepCode(second.record);
  assert.equal(owners.matchCode('pump-1', typed), undefined);
  assert.ok(!JSON.stringify(second.record).includes(second.code.expose()), 'only its hash is kept');
});

test('the first use of a renewed certificate ends the one before', (t) => {
  const { owners } = open(t);
  const appId = pair(owners, 'pump-1');
  const app = owners.app(appId) ?? assert.fail();
  const pending = { fingerprint: 'new', spkiHash: 'n', notAfterMs: 99, certificatePem: '' };
  owners.renew(app, pending);
  owners.useCertificate(appId, app.certificate.fingerprint);
  assert.equal(owners.app(appId)?.pending?.fingerprint, 'new', 'the old one is used still');
  const changes: OwnerChange[] = [];
  owners.onChange((change) => changes.push(change));
  owners.useCertificate(appId, 'new');
  assert.equal(owners.app(appId)?.certificate.fingerprint, 'new');
  assert.equal(owners.app(appId)?.pending, undefined);
  assert.deepEqual(changes, [{ lost: [], renewed: `app:${appId}` }]);
});

test('when an app was last there is kept to the hour', (t) => {
  const { owners, advance, now } = open(t);
  const appId = pair(owners, 'pump-1');
  const { fingerprint } = owners.app(appId)?.certificate ?? assert.fail();
  const beganMs = now();
  advance(APP_SEEN_STEP_MS - 1);
  owners.useCertificate(appId, fingerprint);
  assert.equal(owners.app(appId)?.lastSeenAtMs, beganMs);
  advance(1);
  owners.useCertificate(appId, fingerprint);
  assert.equal(owners.app(appId)?.lastSeenAtMs, now());
});
