/** Artifacts that nothing needs: removed under a device that downloads, and under a kill. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client } from '@holdfast/client';
import { type Bundle, FirmwareUpdater, PinnedFetch, openWritableFile } from '@holdfast/device';
import type { StoredArtifact } from '@holdfast/protocol/api';
import {
  type InProcessServer,
  startInProcess,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';
import { enrollmentTargetOf } from '../../packages/device/src/agent/open-agent.ts';
import { systemClock } from '../../packages/device/src/clock.ts';
import { People, present, sourceOf } from './firmware-people.ts';

/** More than is under way in sockets and remembered by the server together. */
const IMAGE_BYTES = 48 * 1_024 * 1_024;

async function retire(client: Client, people: People, release: string): Promise<void> {
  const { request: made } = await client.proposeLine('thermo', { retire: [release] });
  await people.sign(client, made, people.ann);
  assert.equal(await people.sign(client, made, people.bob), true);
}

async function stored(client: Client, sha256: string): Promise<StoredArtifact | undefined> {
  return (await client.storedArtifacts()).artifacts.find((one) => one.sha256 === sha256);
}

function chunks(dataDir: string): string[] {
  const folder = join(dataDir, 'firmware/artifact');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The head of an answer, of which nothing is read yet. */
function begin({ info }: InProcessServer, bundle: Bundle, path: string): Promise<IncomingMessage> {
  const { folder, anchorPem: ca } = bundle;
  const file = (name: string): Buffer => readFileSync(join(folder, name));
  const identity = { ca, cert: file('client.crt'), key: file('client.key') };
  return new Promise((resolve, reject) => {
    request(`${info.enroll}${path}`, { ...identity, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
}

/** The device of the SDK, as it left the factory. */
async function openUpdater(bundle: Bundle, fetch: PinnedFetch, folder: string) {
  const fileOf = async (path: string): Promise<Buffer> => {
    const { status, body } = await fetch.get({ path });
    assert.equal(status, 200, path);
    return Buffer.concat(await Array.fromAsync(body));
  };
  return FirmwareUpdater.open({
    folder: join(folder, 'updater'),
    imageRoot: await fileOf('/update/v1/image/1.root.json'),
    directorRoot: await fileOf('/update/v1/director/1.root.json'),
    fetch,
    hardware: 'thermo-a',
    clock: systemClock,
    device: { id: bundle.device, certifiedFromMs: bundle.certificate.validFromDate.getTime() },
  });
}

test('a device whose artifact goes gets nothing false, and the next release', async (t) => {
  const server = await startInProcess(t);
  const { client, dataDir } = server;
  const people = new People();
  await people.init(client);
  const bad = await people.release(client, '1.0.0', randomBytes(IMAGE_BYTES));
  const image = randomBytes(700_000);
  const good = await people.release(client, '1.0.1', image);
  const pump = await server.enroll('pump-1');
  const folder = temporaryFolder(t);
  const fetch = new PinnedFetch(enrollmentTargetOf({ bundle: pump.folder }));
  t.after(() => fetch.close());
  const updater = await openUpdater(pump, fetch, folder);

  await client.assignRelease('pump-1', { release: bad.id });
  const update = present(await updater.check(1));
  const path = `/update/v1/artifact/${bad.sha256}`;
  const answer = await begin(server, pump, path);
  assert.equal(answer.statusCode, 200);
  const removal = { artifacts: [bad.sha256], reason: 'bricks the pump' };
  const refused = { code: 'E_OPERATE_CONFLICT' };
  await assert.rejects(client.removeArtifacts(removal), refused, 'it is published');
  await retire(client, people, bad.id);
  await assert.rejects(client.removeArtifacts(removal), refused, 'it is assigned');
  await client.assignRelease('pump-1', { release: good.id });
  const { removed } = await client.removeArtifacts(removal);
  assert.deepEqual(removed, { count: 1, bytes: IMAGE_BYTES });
  await waitFor('its chunks to go', async () => (await client.storedArtifacts()).removing === 0);
  assert.equal(chunks(dataDir).length, 2, 'those of the other release');

  let bytes = 0;
  await assert.rejects(async () => {
    for await (const some of answer) bytes += (some as Buffer).length;
  }, 'the connection breaks off');
  assert.ok(bytes < IMAGE_BYTES, `${bytes} bytes came`);
  assert.equal((await begin(server, pump, path)).statusCode, 404);
  const slot = join(folder, 'slot');
  await using file = await openWritableFile(slot);
  await assert.rejects(updater.download(update, { to: file }));
  const next = present(await updater.check(1));
  assert.equal(next.release.sha256, good.sha256);
  await updater.download(next, { to: file });
  assert.ok(readFileSync(slot).subarray(0, image.length).equals(image));

  assert.equal(await server.metric('holdfast_firmware_artifact_damages_total'), 0);
  const act = (await client.acts()).find(({ action }) => action === 'update.remove-artifact');
  assert.deepEqual([act?.target, act?.reason], [bad.sha256, 'bricks the pump']);
  // It is never given to a device again, unless somebody brings the very same file.
  await assert.rejects(client.assignRelease('pump-1', { release: bad.id }));
});

test('what a kill has left of a removal and of an upload goes after the next start', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  let server = await startServer(t, { dataDir });
  const client = server.client();
  const { sha256 } = await client.uploadArtifact(sourceOf(randomBytes(3_000_000)));
  const [id = ''] = readdirSync(join(dataDir, 'firmware/artifact'));
  const stuck = join(dataDir, 'firmware/artifact', id, '000006');
  // A folder cannot be removed as a file: the removal cannot end before the kill.
  mkdirSync(join(stuck, 'x'), { recursive: true });
  const broken = {
    length: 2_000_000,
    read: (start: number, end: number) =>
      start === 0
        ? Promise.resolve(randomBytes(Math.min(end, 1_000_000)))
        : Promise.reject(new Error('the line is cut')),
  };
  await client.uploadArtifact(broken).catch(() => undefined);
  await client.removeArtifacts({ artifacts: [sha256] });
  assert.equal(await stored(client, sha256), undefined);
  await server.stop('SIGKILL');
  assert.ok(chunks(dataDir).length > 0, 'the kill came in between');
  renameSync(stuck, join(dataDir, '../away'));
  server = await startServer(t, { dataDir });
  const after = server.client();
  await waitFor('the chunks to go', async () => (await after.storedArtifacts()).removing === 0);
  assert.deepEqual(chunks(dataDir), []);
  assert.equal(await stored(after, sha256), undefined);
  const { artifacts, strays } = await after.storedArtifacts();
  assert.deepEqual([artifacts, strays], [[], { uploads: 0, bytes: 0 }]);
});
