/** Firmware releases through a real server, read by TUF's own client over mutual TLS. */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { ApiError, type Client } from '@holdfast/client';
import { type Bundle, enroll } from '@holdfast/device';
import { holdfast, startInProcess, startServer, temporaryFolder, waitFor } from '@holdfast/testkit';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { People, person, present, sourceOf } from './firmware-people.ts';

/** Fetches as a device does, with its certificate. */
class DeviceFetcher extends BaseFetcher {
  readonly #agent: Agent;
  readonly urls: string[] = [];

  constructor({ folder, anchorPem }: Pick<Bundle, 'folder' | 'anchorPem'>) {
    super();
    const cert = readFileSync(join(folder, 'client.crt'));
    const key = readFileSync(join(folder, 'client.key'));
    this.#agent = new Agent({ ca: anchorPem, cert, key, allowPartialTrustChain: true });
  }

  async fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    this.urls.push(url);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, { agent: this.#agent }, resolve).on('error', reject).end();
    });
    if (answer.statusCode === 200) {
      return Readable.toWeb(answer) as ReadableStream<Uint8Array<ArrayBuffer>>;
    }
    answer.resume();
    throw new DownloadHTTPError(`status ${answer.statusCode}`, answer.statusCode ?? 0);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** TUF's own client of one repository, as one device sees it. */
function updater(
  t: TestContext,
  { url, fetcher, root }: { url: string; fetcher: DeviceFetcher; root: Uint8Array },
): Updater {
  const metadataDir = join(temporaryFolder(t), 'metadata');
  mkdirSync(metadataDir);
  writeFileSync(join(metadataDir, 'root.json'), root);
  return new Updater({ metadataDir, metadataBaseUrl: url, fetcher });
}

/** The first root of a repository, as it would be in the image of the device. */
async function firstRoot(client: Client, repository: string): Promise<Buffer> {
  const { documents } = await client.publishedFirmware();
  const root = documents.find((one) => one.repository === repository && one.role === 'root');
  return Buffer.from(present(root).metadata, 'base64');
}

test('a release of two signers reaches the device that it is assigned to', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const bundle = await server.enroll('pump-1');
  await server.enroll('pump-2');
  const people = new People();
  await people.init(client);
  const bytes = randomBytes(3_000_000);
  const release = await people.release(client, '1.0.0', bytes);
  const fetcher = new DeviceFetcher(bundle);
  t.after(() => fetcher.close());
  const { enroll: origin } = server.info;
  const open = async (repository: 'image' | 'director') => {
    const root = await firstRoot(client, repository);
    const one = updater(t, { url: `${origin}/update/v1/${repository}`, fetcher, root });
    await one.refresh();
    return one;
  };
  const target = present(await (await open('image')).getTargetInfo(release.path));
  assert.equal(target.hashes['sha256'], release.sha256);
  assert.deepEqual(target.custom, release.facts);
  assert.equal(await (await open('director')).getTargetInfo(release.path), undefined);

  await assert.rejects(client.assignRelease('pump-1', { release: 'thermo@9' }), /no release/iu);
  await client.assignRelease('pump-2', { release: release.id });
  assert.equal(await (await open('director')).getTargetInfo(release.path), undefined);
  const update = await client.assignRelease('pump-1', { release: release.id, reason: 'a try' });
  assert.equal(update.assigned?.isPublished, true);
  const told = present(await (await open('director')).getTargetInfo(release.path));
  assert.ok(told.equals(target), 'both repositories say the same');
  const artifact = await fetcher.fetch(`${origin}/update/v1/artifact/${release.sha256}`);
  await target.verify(Readable.fromWeb(artifact as Parameters<typeof Readable.fromWeb>[0]));

  await client.eraseDevice('pump-1', 'the end');
  assert.equal((await client.deviceUpdate('pump-1')).assigned, undefined);
  assert.equal(await (await open('director')).getTargetInfo(release.path), undefined);
  const acts = await client.acts({ limit: 200 });
  const published = acts.filter(({ action }) => action === 'update.publish');
  assert.equal(published.length, 8);
  const artifactAct = acts.find(({ action }) => action === 'update.artifact');
  assert.equal(artifactAct?.target, release.sha256);
});

test('who has no key of a role, or signs something else, changes nothing', async (t) => {
  const { client } = await startInProcess(t);
  const people = new People();
  await people.init(client);
  const request = await people.propose(client, '1.0.0');
  await assert.rejects(people.sign(client, request, person('dan')), /has no role/u);
  await assert.rejects(people.sign(client, request, people.cid), /has no role/u);
  const file = {
    type: 'holdfast-signatures/1',
    request: request.id,
    keyId: people.ann.key.keyID,
    signatures: [
      { repository: 'image', role: 'line-thermo', version: 1, signature: 'ab'.repeat(64) },
    ],
  } as const;
  const forged = client.submitSignatures({ ...file, signatures: [...file.signatures] });
  await assert.rejects(forged, { code: 'E_UPDATE_SIGNATURE' });
  await client.withdrawSigningRequest(request.id);
  await assert.rejects(people.sign(client, request, people.ann), { code: 'E_OPERATE_NOT_FOUND' });
  assert.deepEqual(await client.releases(), []);
});

test('releases that wait are signed together, and a published one never changes', async (t) => {
  const { client } = await startInProcess(t);
  const people = new People();
  await people.init(client);
  await people.propose(client, '1.0.0');
  await people.release(client, '1.1.0');
  const ids = (await client.releases()).map(({ id }) => id);
  assert.deepEqual(ids, ['thermo@1.0.0', 'thermo@1.1.0']);
  assert.deepEqual(await client.signingRequests(), []);
  await assert.rejects(people.propose(client, '1.0.0'), { code: 'E_OPERATE_CONFLICT' });
  const { request } = await client.proposeLine('thermo', { retire: ['thermo@1.0.0'] });
  await people.sign(client, request, people.ann);
  await people.sign(client, request, people.bob);
  assert.deepEqual(
    (await client.releases()).map(({ id }) => id),
    ['thermo@1.1.0'],
  );
});

test('an upload is bound to its length, its parts and its person', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const bytes = randomBytes(5_000_001);
  const seen: number[] = [];
  const onProgress = (received: number): void => void seen.push(received);
  const stored = await client.uploadArtifact(sourceOf(bytes), { onProgress });
  assert.equal(stored.length, bytes.length);
  assert.deepEqual(seen, [2_097_152, 4_194_304, 5_000_001]);
  const short = { length: 10, read: () => Promise.resolve(new Uint8Array(11)) };
  await assert.rejects(client.uploadArtifact(short), { code: 'E_UPDATE_ARTIFACT' });
  const large = { length: 3_000_000, read: () => Promise.resolve(new Uint8Array(2_097_153)) };
  await assert.rejects(client.uploadArtifact(large), { code: 'E_OPERATE_SIZE' });
  const huge = { length: 2 ** 30, read: () => Promise.resolve(new Uint8Array(1)) };
  await assert.rejects(client.uploadArtifact(huge), { code: 'E_UPDATE_ARTIFACT' });
});

test('SIGKILL at any moment of releasing leaves a repository that holds together', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const people = new People();
  let server = await startServer(t, { dataDir });
  await people.init(server.client());
  const root = await firstRoot(server.client(), 'image');
  const certain = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    const client = server.client();
    const kill = new Promise<void>((resolve) => {
      setTimeout(() => void server.stop('SIGKILL').then(() => resolve()), randomInt(100, 2_000));
    });
    for (let at = 0; ; at += 1) {
      try {
        await people.release(client, `${round}.${at}.0`);
        certain.add(`thermo@${round}.${at}.0`);
      } catch (error) {
        // What an interrupted release has left open is signed with the next one.
        assert.ok(error instanceof ApiError, String(error));
        break;
      }
    }
    await kill;
    server = await startServer(t, { dataDir });
    const after = server.client();
    const ids = new Set((await after.releases()).map(({ id }) => id));
    assert.ok(certain.isSubsetOf(ids), 'what was answered is there');
    await readAll(t, { server, root, name: `reader-${round}` });
  }
  await server.stop();
  const verified = await holdfast(['audit', 'verify', '--data', dataDir]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});

/** Reads the image repository with a new device; everything must verify. */
async function readAll(
  t: TestContext,
  {
    server,
    root,
    name,
  }: { server: Awaited<ReturnType<typeof startServer>>; root: Buffer; name: string },
): Promise<void> {
  const client = server.client();
  const { claim } = await client.addDevice({ id: name, class: 'sensor' });
  const bundle = await enroll({ claim: claim.text, out: join(temporaryFolder(t), name) });
  const fetcher = new DeviceFetcher(bundle);
  t.after(() => fetcher.close());
  const url = `https://localhost:${server.ports.enroll}/update/v1/image`;
  const one = updater(t, { url, fetcher, root });
  await one.refresh();
  for (const release of await client.releases()) {
    const target = present(await one.getTargetInfo(release.path));
    assert.equal(target.hashes['sha256'], release.sha256);
    assert.equal(release.isStored, true);
  }
}

test('the end of metadata is shown, and an artifact that was changed is told', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const bundle = await server.enroll('pump-1');
  const people = new People();
  await people.init(client);
  const status = await client.firmwareStatus();
  assert.equal(status.isInitialized, true);
  assert.deepEqual(
    status.roles.map(({ repository, role }) => `${repository}/${role}`),
    ['image/timestamp', 'image/snapshot', 'image/targets', 'image/root', 'director/root'],
  );
  assert.ok(status.roles.every(({ isEndingSoon }) => !isEndingSoon));
  assert.ok((await server.metric('holdfast_firmware_metadata_end_seconds')) > 0);
  const release = await people.release(client, '1.0.0');
  await client.assignRelease('pump-1', { release: release.id });
  const folder = join(server.dataDir, 'firmware');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
    join(folder, name),
  );
  const file = present(files.find((path) => statSync(path).isFile()));
  const sealed = readFileSync(file);
  sealed[100] = (sealed[100] ?? 0) ^ 1;
  writeFileSync(file, sealed);
  const fetcher = new DeviceFetcher(bundle);
  t.after(() => fetcher.close());
  const url = `${server.info.enroll}/update/v1/artifact/${release.sha256}`;
  await assert.rejects(async () => {
    for await (const _bytes of await fetcher.fetch(url)) continue;
  });
  await waitFor('the damage to be counted', async () => {
    const damages = await server.metric('holdfast_firmware_artifact_damages_total');
    return damages > 0 ? damages : undefined;
  });
});
