/** The device's updater against the metadata and artifacts that the server really makes. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type FetchPort, FirmwareUpdater, openWritableFile } from '@holdfast/device';
import { UpdateLab, deviceId, present } from '../../packages/server/src/update/lab.testing.ts';

const DEVICE = deviceId('pump-1');
const HOUR_MS = 3_600_000;

/** What the enrollment listener would answer to this device. */
function delivery(lab: UpdateLab): FetchPort {
  const find = async (path: string): Promise<Uint8Array | undefined> => {
    const [, repository = '', name = ''] = /^\/update\/v1\/(\w+)\/(.+)$/u.exec(path) ?? [];
    const { releases, director } = lab.parts;
    if (repository === 'image') return releases.metadata(name);
    if (repository === 'director') return director.metadata(DEVICE, name);
    const artifact = await releases.artifact(name);
    return artifact && Buffer.concat(await Array.fromAsync(artifact.read(0, artifact.length)));
  };
  return {
    async get({ path }) {
      const bytes = await find(path);
      return { status: bytes === undefined ? 404 : 200, dateMs: lab.clock.ms, body: once(bytes) };
    },
  };
}

async function* once(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}

async function bench(t: TestContext) {
  const lab = new UpdateLab(t);
  await lab.init();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-device-update-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { releases, director } = lab.parts;
  const updater = await FirmwareUpdater.open({
    folder: join(folder, 'update'),
    imageRoot: present(releases.metadata('1.root.json')),
    directorRoot: present(director.metadata(DEVICE, '1.root.json')),
    fetch: delivery(lab),
    hardware: 'thermo-a',
    clock: lab.clock,
    device: { id: DEVICE, certifiedFromMs: lab.clock.ms },
  });
  return { lab, updater, slot: join(folder, 'slot') };
}

test('a device takes what is released and assigned, also after the server was started again', async (t) => {
  const { lab, updater, slot } = await bench(t);
  const image = Buffer.alloc(300_000, 'image');
  assert.equal(await updater.check(1), undefined);
  const release = await lab.release('1.0.0', image);
  assert.equal(await updater.check(1), undefined);
  await lab.parts.director.assign(DEVICE, release);
  const update = await updater.check(1);
  assert.deepEqual(update, { release });
  await using to = await openWritableFile(slot);
  await updater.download(present(update), { to });
  assert.deepEqual(readFileSync(slot), image);
  const next = await lab.release('1.1.0');
  lab.reopen();
  await lab.parts.director.assign(DEVICE, next);
  assert.deepEqual(await updater.check(1), { release: next });
  lab.clock.ms += 6 * HOUR_MS;
  assert.deepEqual(await updater.check(1), { release: next });
});

test('what is signed for one device is refused by another', async (t) => {
  const { lab, updater } = await bench(t);
  const release = await lab.release('1.0.0');
  const { director } = lab.parts;
  await director.assign(deviceId('pump-2'), release);
  t.mock.method(director, 'metadata', (_device: unknown, name: string) =>
    Object.getPrototypeOf(director).metadata.call(director, deviceId('pump-2'), name),
  );
  await assert.rejects(updater.check(1), { code: 'E_DEVICE_UPDATE_FOREIGN' });
});
