import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type {
  AssignReleaseRequest,
  DeviceUpdateView,
  FirmwareStatus,
  ReleaseView,
} from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const KEY_ID = 'ab'.repeat(32);
const SHA256 = 'cd'.repeat(32);
const ann = { keyId: KEY_ID, name: 'ann', algorithm: 'ed25519' } as const;

const root: FirmwareStatus['roles'][number] = {
  repository: 'image',
  role: 'root',
  version: 2,
  expiresAt: '2026-12-21T04:00:00.000Z',
  isEndingSoon: false,
  threshold: 1,
  signers: [ann],
};

const status = (...roles: FirmwareStatus['roles']): FirmwareStatus => ({
  isInitialized: roles.length > 0,
  openRequests: 0,
  roles,
});

const release: ReleaseView = {
  id: 'thermo@2.1.0',
  path: 'thermo/2.1.0/app.bin',
  length: 3_145_728,
  sha256: SHA256,
  facts: { line: 'thermo', version: '2.1.0', hardware: ['thermo-a'], counter: 7 },
  isStored: true,
  assigned: 2,
  confirmed: 1,
};

function statusWorld(found: FirmwareStatus): FakeWorld {
  return new FakeWorld({
    client: {
      firmwareStatus: () => Promise.resolve(found),
      signingRequests: () => Promise.resolve([]),
    },
  });
}

test('fw status says who signs what, and when it bites', async () => {
  const good = statusWorld(
    status(root, { ...root, role: 'timestamp', signers: [{ ...ann, name: '' }] }),
  );
  assert.equal(await good.run('fw', 'status'), 0, good.errText);
  assert.match(good.outText, /image root +v2 +bites in 30 d +1 of ann/u);
  assert.match(good.outText, /image timestamp +v2 .* 1 of the server/u);
  const bad = statusWorld(
    status({ ...root, isEndingSoon: true, expiresAt: '2026-11-20T04:00:00.000Z' }),
  );
  assert.equal(await bad.run('fw', 'status'), 1);
  assert.match(bad.outText, /HAS ENDED/u);
  assert.match(bad.errText, /fw renew/u);
  const none = statusWorld(status());
  assert.equal(await none.run('fw', 'status'), 0);
  assert.match(none.outText, /fw init/u);
});

test('fw status tells what could go when it is a lot', async () => {
  const text = async (bytes: number): Promise<string> => {
    const unneeded = { count: 3, bytes };
    const world = statusWorld({ ...status(root), artifacts: { stored: unneeded, unneeded } });
    assert.equal(await world.run('fw', 'status'), 0, world.errText);
    return world.outText;
  };
  assert.match(
    await text(100_000_000),
    /Nothing needs 3 artifacts, 100\.0 MB: holdfast fw artifact/u,
  );
  assert.doesNotMatch(await text(99_999_999), /artifact/u);
});

test('fw list and fw show tell of releases, and of artifacts that are missing', async () => {
  const world = (...releases: ReleaseView[]) =>
    new FakeWorld({ client: { releases: () => Promise.resolve(releases) } });
  const one = world(release);
  assert.equal(await one.run('fw', 'list'), 0, one.errText);
  assert.match(one.outText, /thermo@2.1.0 +counter 7 +3.0 MiB +thermo-a +2 assigned, 1 confirmed/u);
  const missing = world({ ...release, isStored: false });
  await missing.run('fw', 'list');
  assert.match(missing.outText, /missing/u);
  const none = world();
  await none.run('fw', 'list');
  assert.match(none.outText, /Nothing is released/u);
  const shown = world(release);
  assert.equal(await shown.run('fw', 'show', 'thermo@2.1.0'), 0);
  assert.match(shown.outText, new RegExp(`sha256 +${SHA256}`, 'u'));
  assert.equal(await shown.run('fw', 'show', 'thermo@9'), 1);
});

test('fw assign and fw show tell what a device is to run, and what it told', async () => {
  const asked: [string, AssignReleaseRequest][] = [];
  const update: DeviceUpdateView = {
    device: 'pump-1',
    assigned: {
      release: 'thermo@2.1.0',
      since: '2026-11-21T03:00:00.000Z',
      by: 'person:ann',
      isPublished: false,
    },
    reported: {
      release: 'thermo@2.1.0',
      state: 'reverted',
      since: '2026-11-21T03:10:00.000Z',
      at: '2026-11-21T03:10:00.000Z',
      why: 'no \u001B[31mconnection',
    },
  };
  const world = new FakeWorld({
    client: {
      deviceUpdate: () => Promise.resolve(update),
      assignRelease: (id, request) => {
        asked.push([id, request]);
        return Promise.resolve(update);
      },
    },
  });
  assert.equal(await world.run('fw', 'assign', 'pump-1', 'thermo@2.1.0'), 0, world.errText);
  assert.equal(await world.run('fw', 'assign', 'pump-1', 'none', '--reason', 'broken'), 0);
  assert.deepEqual(asked, [
    ['pump-1', { release: 'thermo@2.1.0' }],
    ['pump-1', { release: null, reason: 'broken' }],
  ]);
  assert.equal(await world.run('fw', 'show', 'pump-1'), 0);
  assert.match(world.outText, /thermo@2.1.0 \(taken back/u);
  assert.match(world.outText, /reverted of thermo@2.1.0/u);
  assert.ok(!world.outText.includes('\u001B'), 'what a device says draws nothing');
});

test('fw upload brings the bytes of a file', async () => {
  const parts: number[] = [];
  const world = new FakeWorld({
    client: {
      uploadArtifact: async ({ length, read }) => {
        parts.push((await read(0, length)).length);
        return { sha256: SHA256, length };
      },
    },
  });
  const path = join(world.home, 'app.bin');
  writeFileSync(path, Buffer.alloc(1_234));
  assert.equal(await world.run('fw', 'upload', path), 0, world.errText);
  assert.deepEqual(parts, [1_234]);
  assert.match(world.outText, /1234 bytes/u);
  writeFileSync(path, '');
  assert.equal(await world.run('fw', 'upload', path), 1);
  assert.equal(await world.run('fw', 'upload', join(world.home, 'absent')), 1);
});
