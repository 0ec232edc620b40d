/** How an update comes: resumed, by delta, killed at each step of the disk. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeDelta } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { DyingDisk } from '../../test-support/dying-disk.ts';
import { chunks, cutAfter, fileAnswer } from '../../test-support/scripted-fetch.ts';
import { testFolder } from '../../test-support/test-bundle.ts';
import { LAB_DEVICE, LAB_HARDWARE, UpdateLab, sha256Of } from '../../test-support/update-lab.ts';
import type { DownloadOptions } from './download-options.ts';
import type { FetchRequest } from './fetch-port.ts';
import { UPDATE_CHECKPOINT_BYTES } from './limits.ts';
import { FirmwareUpdater } from './updater.ts';
import { openWritableFile } from './writable-file.ts';

const MIB = 1_024 * 1_024;
const IMAGE = randomBytes(UPDATE_CHECKPOINT_BYTES + MIB);

function bench(t: TestContext, lab = new UpdateLab()) {
  const folder = join(testFolder(t), 'update');
  const slot = join(testFolder(t), 'slot');
  const open = (disk = new DyingDisk()) =>
    FirmwareUpdater.open({
      folder,
      imageRoot: lab.roots.image,
      directorRoot: lab.roots.director,
      fetch: lab.fetch,
      hardware: LAB_HARDWARE,
      clock: lab.clock,
      device: { id: LAB_DEVICE, certifiedFromMs: lab.clock.nowMs() },
      steps: disk.files,
    });
  return { lab, folder, slot, open };
}

async function download(
  updater: FirmwareUpdater,
  slot: string,
  { disk = new DyingDisk(), ...more }: Partial<DownloadOptions> & { disk?: DyingDisk } = {},
): Promise<Buffer> {
  const update = await updater.check(0);
  assert.ok(update);
  await using to = await openWritableFile(slot);
  await updater.download(update, { to: disk.file(to), ...more });
  return readFileSync(slot);
}

function rangesOf(lab: UpdateLab): (number | undefined)[] {
  return lab.fetch.requests
    .filter(({ path }) => path.includes('/artifact/'))
    .map(({ from }) => from);
}

test('a cut is bridged by Range, and nothing comes twice', async (t) => {
  const { lab, slot, open } = bench(t);
  const { sha256 } = lab.release(IMAGE);
  const stops = [3 * MIB, MIB, 100];
  lab.fetch.tricks.set(`/update/v1/artifact/${sha256}`, (request, file) => {
    const answer = fileAnswer(request, file);
    const stop = stops.shift();
    if (stop === undefined) return answer;
    return { ...answer, body: cutAfter(file.subarray(request.from ?? 0), stop) };
  });
  const seen: number[] = [];
  const onProgress = ({ bytes }: { bytes: number }) => seen.push(bytes);
  assert.deepEqual(await download(await open(), slot, { onProgress }), IMAGE);
  assert.deepEqual(rangesOf(lab), [undefined, 3 * MIB, 4 * MIB, 4 * MIB + 100]);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  assert.equal(seen.at(-1), IMAGE.length);
});

test('a connection that brings nothing is not tried again at once', async (t) => {
  const { lab, slot, open } = bench(t);
  const { sha256 } = lab.release(IMAGE);
  const path = `/update/v1/artifact/${sha256}`;
  lab.fetch.tricks.set(path, (_request, file) => ({ status: 200, body: cutAfter(file, 0) }));
  await assert.rejects(download(await open(), slot), { code: 'E_DEVICE_CONNECTION' });
  assert.equal(lab.fetch.countOf(path), 1);
});

test('after a restart it goes on at the last checkpoint, and only hashes what is whole', async (t) => {
  const { lab, slot, open } = bench(t);
  const { sha256 } = lab.release(IMAGE);
  const path = `/update/v1/artifact/${sha256}`;
  const controller = new AbortController();
  const onProgress = ({ bytes }: { bytes: number }): void => {
    if (bytes > 4.5 * MIB) controller.abort(new Error('enough'));
  };
  lab.fetch.tricks.set(path, (request, file) => {
    const { signal } = request;
    const stoppable = async function* () {
      for await (const chunk of chunks(file)) {
        signal?.throwIfAborted();
        yield chunk;
      }
    };
    return { status: 200, body: stoppable() };
  });
  const stopped = download(await open(), slot, { onProgress, signal: controller.signal });
  await assert.rejects(stopped, { message: 'enough' });
  lab.fetch.tricks.clear();
  assert.deepEqual(await download(await open(), slot), IMAGE);
  const [, from = 0] = rangesOf(lab);
  assert.ok(from > 4.5 * MIB && from < 5 * MIB, `${from}`);
  assert.deepEqual(await download(await open(), slot), IMAGE);
  assert.equal(lab.fetch.countOf(path), 2);
});

test('what lies in the slot already is not taken for a part of the image', async (t) => {
  const { lab, slot, open } = bench(t);
  writeFileSync(slot, Buffer.alloc(IMAGE.length + 5));
  lab.release(IMAGE);
  assert.deepEqual(await download(await open(), slot), IMAGE);
  writeFileSync(slot, Buffer.alloc(IMAGE.length));
  assert.deepEqual(await download(await open(), slot), IMAGE);
});

test('a server that knows no Range, or gives another one', async (t) => {
  const { lab, slot, open } = bench(t);
  const { sha256 } = lab.release(IMAGE);
  const path = `/update/v1/artifact/${sha256}`;
  const cutOnce = (then: (request: FetchRequest, file: Buffer) => object) => {
    let isFirst = true;
    lab.fetch.tricks.set(path, (request, file) => {
      const body = isFirst ? cutAfter(file, MIB) : chunks(file);
      isFirst = false;
      return { status: 200, body, ...then(request, file) };
    });
  };
  cutOnce(() => ({}));
  assert.deepEqual(await download(await open(), slot), IMAGE);
  writeFileSync(slot, '');
  cutOnce(({ from }) => (from === undefined ? {} : { status: 206, contentRange: 'bytes 0-5/6' }));
  await assert.rejects(download(await open(), slot), { code: 'E_DEVICE_UPDATE_ANSWER' });
  lab.fetch.tricks.set(path, () => ({ status: 416, body: chunks(Buffer.of()) }));
  await assert.rejects(download(await open(), slot), { code: 'E_DEVICE_UPDATE_ANSWER' });
});

test('killed at each step of the disk: metadata and image', async (t) => {
  const lab = new UpdateLab();
  const { sha256 } = lab.release(IMAGE);
  // Large chunks: fewer steps, and each kind of them is among these.
  lab.fetch.tricks.set(`/update/v1/artifact/${sha256}`, (request, file) => ({
    ...fileAnswer(request, file),
    body: chunks(file.subarray(request.from ?? 0), MIB),
  }));
  const counting = new DyingDisk();
  const whole = bench(t, lab);
  await download(await whole.open(counting), whole.slot, { disk: counting });
  assert.ok(counting.steps > 12, `${counting.steps}`);
  for (let dieAt = 1; dieAt <= counting.steps; dieAt += 1) {
    const { slot, open } = bench(t, lab);
    const disk = new DyingDisk(dieAt);
    await assert.rejects(download(await open(disk), slot, { disk }), `${dieAt}`);
    assert.deepEqual(await download(await open(), slot), IMAGE, `after step ${dieAt}`);
  }
});

test('killed while metadata are kept: never older ones than before, and no rollback', async (t) => {
  for (const dieAt of [1, 2, 3, 4, 5]) {
    const { lab, open } = bench(t);
    lab.release(Buffer.from('one'));
    assert.ok(await (await open()).check(0));
    const old = lab.file('director', 'timestamp.json');
    lab.release(Buffer.from('two'), { version: '2.1.0' });
    assert.ok(await (await open()).check(0));
    lab.release(Buffer.from('three'), { version: '2.2.0' });
    await (await open(new DyingDisk(dieAt))).check(0).catch(() => undefined);
    const now = lab.file('director', 'timestamp.json');
    lab.put('director', 'timestamp.json', old);
    await assert.rejects((await open()).check(0), { code: 'E_DEVICE_UPDATE_ROLLBACK' });
    lab.put('director', 'timestamp.json', now);
    assert.equal((await (await open()).check(0))?.release.custom.version, '2.2.0');
  }
});

test('a full disk is a named error, and the update goes on when there is room', async (t) => {
  const { lab, slot, open } = bench(t);
  lab.release(IMAGE);
  const full = download(await open(), slot, { disk: new DyingDisk(3) });
  await assert.rejects(full, { code: 'E_DEVICE_UPDATE_STORE' });
  assert.deepEqual(await download(await open(), slot), IMAGE);
});

/** A release with a delta from the image that runs. */
async function withDelta(t: TestContext) {
  const found = bench(t);
  const base = join(testFolder(t), 'running');
  const old = Buffer.from(IMAGE);
  old.fill(7, 1_000, 3_000);
  writeFileSync(base, old);
  const image = join(testFolder(t), 'image');
  writeFileSync(image, IMAGE);
  const out = join(testFolder(t), 'delta');
  const delta = await makeDelta({ base, image, out });
  assert.ok(!(delta instanceof Refusal));
  const bytes = readFileSync(out);
  const { sha256 } = found.lab.release(IMAGE, { deltas: [delta] });
  found.lab.serve(bytes);
  const from = { path: base, sha256: sha256Of(old) };
  const paths = {
    delta: `/update/v1/artifact/${delta.sha256}`,
    image: `/update/v1/artifact/${sha256}`,
  };
  return { ...found, from, paths, bytes };
}

test('a delta is taken when there is one from the running image', async (t) => {
  const { lab, slot, open, from, paths, bytes } = await withDelta(t);
  assert.ok(bytes.length < 10_000);
  assert.deepEqual(await download(await open(), slot, { from }), IMAGE);
  assert.equal(lab.fetch.countOf(paths.image), 0);
  assert.deepEqual(await download(await open(), slot, { from }), IMAGE);
  assert.equal(lab.fetch.countOf(paths.delta), 1);
  const other = { ...from, sha256: sha256Of(Buffer.from('something else')) };
  writeFileSync(slot, '');
  assert.deepEqual(await download(await open(), slot, { from: other }), IMAGE);
  assert.equal(lab.fetch.countOf(paths.image), 1);
});

test('whatever is wrong with a delta, the whole image comes', async (t) => {
  const { lab, slot, open, from, paths, bytes } = await withDelta(t);
  const damaged = Buffer.from(bytes);
  damaged.writeUInt8(damaged.readUInt8(50) ^ 1, 50);
  lab.fetch.files.set(paths.delta, damaged);
  assert.deepEqual(await download(await open(), slot, { from }), IMAGE);
  assert.equal(lab.fetch.countOf(paths.image), 1);
  writeFileSync(slot, '');
  lab.fetch.files.delete(paths.delta);
  assert.deepEqual(await download(await open(), slot, { from }), IMAGE);
  // The running image is not what its hash says: the delta makes something else out of it.
  writeFileSync(slot, '');
  lab.serve(bytes);
  writeFileSync(from.path, Buffer.alloc(IMAGE.length));
  assert.deepEqual(await download(await open(), slot, { from }), IMAGE);
  assert.equal(lab.fetch.countOf(paths.image), 3);
});

test('a delta that ended the process is not tried again: the whole image comes', async (t) => {
  const { lab, slot, open, from, paths } = await withDelta(t);
  const updater = await open();
  const update = await updater.check(0);
  assert.ok(update);
  const to = await openWritableFile(slot);
  t.after(() => to.close());
  const began = Promise.withResolvers<void>();
  // As when the kernel kills a process that takes too much memory: it never comes back.
  t.mock.method(to, 'write', () => {
    began.resolve();
    return new Promise(() => {});
  });
  void updater.download(update, { to, from });
  await began.promise;
  assert.deepEqual(await download(await open(), slot, { from }), IMAGE);
  assert.equal(lab.fetch.countOf(paths.delta), 1);
  assert.equal(lab.fetch.countOf(paths.image), 1);
});
