/** The attack table of firmware updates: each row is refused, by its name, and does no harm. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newDirectorTargets, newLine } from '@holdfast/firmware';
import { chunks, drip } from '../../test-support/scripted-fetch.ts';
import { testFolder } from '../../test-support/test-bundle.ts';
import {
  DAY_MS,
  LAB_DEVICE,
  LAB_HARDWARE,
  LAB_LINE,
  UpdateLab,
  labKey,
  labRelease,
  sha256Of,
  signed,
} from '../../test-support/update-lab.ts';
import type { DeviceErrorCode } from '../device-error.ts';
import { type FirmwareUpdaterOptions, FirmwareUpdater } from './updater.ts';
import { openWritableFile } from './writable-file.ts';

const IMAGE = Buffer.alloc(200_000, 'the image ');
const COUNTER = 7;

/** A device with a lab as its server. */
async function bench(t: TestContext, more: Partial<FirmwareUpdaterOptions> = {}) {
  const lab = new UpdateLab();
  const folder = join(testFolder(t), 'update');
  const options: FirmwareUpdaterOptions = {
    folder,
    imageRoot: lab.roots.image,
    directorRoot: lab.roots.director,
    fetch: lab.fetch,
    hardware: LAB_HARDWARE,
    clock: lab.clock,
    device: { id: LAB_DEVICE, certifiedFromMs: lab.clock.nowMs() - 3_600_000 },
    ...more,
  };
  const updater = await FirmwareUpdater.open(options);
  return { lab, folder, options, updater, slot: join(testFolder(t), 'slot') };
}

function refused(work: Promise<unknown>, code: DeviceErrorCode): Promise<void> {
  return assert.rejects(work, (error: Error & { code?: string; fix?: string }) => {
    assert.equal(error.code, code, error.message);
    assert.ok((error.fix ?? '').length > 10);
    return true;
  });
}

async function download(
  updater: FirmwareUpdater,
  slot: string,
  update = updater.check(COUNTER),
): Promise<Buffer> {
  const found = await update;
  assert.ok(found);
  await using to = await openWritableFile(slot);
  await updater.download(found, { to });
  return readFileSync(slot);
}

test('without an attack the assigned release comes, and nothing else', async (t) => {
  const { lab, updater, slot } = await bench(t);
  assert.equal(await updater.check(COUNTER), undefined);
  const release = lab.release(IMAGE);
  assert.deepEqual(await updater.check(COUNTER), { release });
  assert.deepEqual(await download(updater, slot), IMAGE);
  lab.publishDirector(undefined);
  assert.equal(await updater.check(COUNTER), undefined);
});

test('altered image: refused, nothing of it is left, the right one comes later', async (t) => {
  const { lab, updater, slot } = await bench(t);
  const { sha256 } = lab.release(IMAGE);
  const path = `/update/v1/artifact/${sha256}`;
  const altered = Buffer.from(IMAGE);
  altered.writeUInt8(altered.readUInt8(100_000) ^ 1, 100_000);
  lab.fetch.files.set(path, altered);
  await refused(download(updater, slot), 'E_DEVICE_UPDATE_IMAGE');
  assert.equal(readFileSync(slot).length, 0);
  lab.fetch.files.set(path, IMAGE);
  assert.deepEqual(await download(updater, slot), IMAGE);
});

test('altered metadata: each file of both repositories', async (t) => {
  for (const [repository, name, code] of [
    ['director', 'timestamp.json', 'E_DEVICE_UPDATE_SIGNATURE'],
    ['director', '2.snapshot.json', 'E_DEVICE_UPDATE_MIXED'],
    ['director', '2.targets.json', 'E_DEVICE_UPDATE_MIXED'],
    ['image', 'timestamp.json', 'E_DEVICE_UPDATE_SIGNATURE'],
    ['image', '2.snapshot.json', 'E_DEVICE_UPDATE_MIXED'],
    ['image', '1.targets.json', 'E_DEVICE_UPDATE_MIXED'],
    [`image`, `2.line-${LAB_LINE}.json`, 'E_DEVICE_UPDATE_MIXED'],
  ] as const) {
    const { lab, updater } = await bench(t);
    lab.release(IMAGE);
    const good = lab.file(repository, name);
    const expires = /"expires":"(\d{4})/u.exec(good.toString())?.[1] ?? '';
    lab.put(repository, name, Buffer.from(good.toString().replace(expires, '2098')));
    await refused(updater.check(COUNTER), code);
    lab.put(repository, name, good);
    assert.ok(await updater.check(COUNTER), `${repository} ${name}`);
  }
});

test('altered root: a new one that the keys of the old one did not sign', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE);
  const strangers = [labKey(), labKey()];
  lab.publishRoot('image', { keys: strangers });
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_SIGNATURE');
  lab.publishRoot('image', { version: 2, keys: [...lab.keys.root.slice(0, 1), ...strangers] });
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_SIGNATURE');
});

test('rollback: replayed old timestamp, snapshot and root', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE);
  const old = lab.file('image', 'timestamp.json');
  lab.release(Buffer.from('another image'), { version: '2.1.0' });
  assert.ok(await updater.check(COUNTER));
  const now = lab.file('image', 'timestamp.json');
  lab.put('image', 'timestamp.json', old);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_ROLLBACK');
  lab.put('image', 'timestamp.json', now);
  // A snapshot of a stolen online key that takes a line back.
  lab.versions.set(`image line-${LAB_LINE}`, 1);
  lab.publishOnline('image');
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_ROLLBACK');
  lab.put('image', '2.root.json', lab.file('image', '1.root.json'));
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_ROLLBACK');
});

test('rollback is refused after a restart, too', async (t) => {
  const { lab, updater, options } = await bench(t);
  lab.release(IMAGE);
  const old = lab.file('director', 'timestamp.json');
  lab.release(Buffer.from('another image'), { version: '2.1.0' });
  assert.ok(await updater.check(COUNTER));
  lab.put('director', 'timestamp.json', old);
  const restarted = await FirmwareUpdater.open(options);
  await refused(restarted.check(COUNTER), 'E_DEVICE_UPDATE_ROLLBACK');
});

test('freeze: metadata that are not renewed end by themselves, of each repository', async (t) => {
  for (const repository of ['image', 'director'] as const) {
    const { lab, updater } = await bench(t);
    lab.release(IMAGE);
    assert.ok(await updater.check(COUNTER));
    lab.clock.advance(DAY_MS + 1_000);
    lab.fetch.dateMs = lab.clock.nowMs();
    lab.publishTimestamp(repository === 'image' ? 'director' : 'image');
    await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_EXPIRED');
    lab.publishTimestamp(repository);
    assert.ok(await updater.check(COUNTER));
  }
});

test('mix-and-match: a targets file or a snapshot of another time', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE);
  lab.release(Buffer.alloc(IMAGE.length, 'another'), { version: '2.1.0' });
  const swap = async (repository: 'image' | 'director', name: string, other: string) => {
    const good = lab.file(repository, name);
    lab.put(repository, name, lab.file(repository, other));
    await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_MIXED');
    lab.put(repository, name, good);
  };
  await swap('director', '3.snapshot.json', '2.snapshot.json');
  await swap('director', '3.targets.json', '2.targets.json');
  await swap('image', '3.snapshot.json', '2.snapshot.json');
  await swap('image', `3.line-${LAB_LINE}.json`, `2.line-${LAB_LINE}.json`);
  assert.ok(await updater.check(COUNTER));
});

test('wrong hardware', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE, { hardware: ['thermo-b', 'thermo-c'] });
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_HARDWARE');
});

test('lower counter; the same one, and a higher one, are taken', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE, { counter: COUNTER });
  await refused(updater.check(COUNTER + 1), 'E_DEVICE_UPDATE_COUNTER');
  assert.ok(await updater.check(COUNTER));
  assert.ok(await updater.check(COUNTER - 1));
});

test('expired root: nothing is taken until there is a new one', async (t) => {
  for (const repository of ['image', 'director'] as const) {
    const { lab, updater } = await bench(t);
    lab.release(IMAGE);
    lab.publishRoot(repository, { expiresMs: lab.clock.nowMs() - 1_000 });
    await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_EXPIRED');
    lab.publishRoot(repository);
    assert.ok(await updater.check(COUNTER));
  }
});

test('stolen director key: what it alone names is not installed', async (t) => {
  const { lab, updater } = await bench(t);
  const genuine = lab.release(IMAGE);
  const evil = Buffer.alloc(IMAGE.length, 'evil');
  lab.serve(evil);
  lab.publishDirector(labRelease(evil, { version: '6.6.6' }));
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_DISAGREE');
  for (const change of [{ sha256: sha256Of(evil) }, { length: genuine.length - 1 }]) {
    lab.publishDirector({ ...genuine, ...change });
    await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_DISAGREE');
  }
});

test('stolen director key: what it says of a genuine release does not count', async (t) => {
  const { lab, updater } = await bench(t);
  const genuine = lab.release(IMAGE, { hardware: ['thermo-b'], counter: 3 });
  const custom = { ...genuine.custom, hardware: [LAB_HARDWARE], counter: 99 };
  lab.publishDirector({ ...genuine, custom });
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_HARDWARE');
});

test('all online keys stolen: they cannot make an image, nor a root out of the other', async (t) => {
  const { lab, updater } = await bench(t);
  const evil = labRelease(Buffer.from('evil'), { version: '6.6.6' });
  lab.publishLine([evil], { keys: [...lab.keys.director, ...lab.keys.image] });
  lab.publishDirector(evil);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_SIGNATURE');
  // The same people sign both roots: taken for the other one, the director would sign releases.
  lab.publishRoot('director');
  lab.put('image', '2.root.json', lab.file('director', '2.root.json'));
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_FOREIGN');
});

test('one stolen release key of two', async (t) => {
  const { lab, updater } = await bench(t);
  const evil = labRelease(Buffer.from('evil'), { version: '6.6.6' });
  lab.publishLine([evil], { keys: lab.keys.release.slice(0, 1) });
  lab.publishDirector(evil);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_SIGNATURE');
  lab.publishLine([evil], { keys: lab.keys.release.slice(1) });
  assert.ok(await updater.check(COUNTER), 'two of three are enough');
});

test('release keys of one line sign nothing for another line, and delegate nothing', async (t) => {
  const { lab, updater } = await bench(t);
  const foreign = labRelease(IMAGE, { line: 'pump', version: '2.0.0' });
  lab.publishLine([foreign]);
  lab.publishDirector(foreign);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_DISAGREE');
  const lying = { ...labRelease(IMAGE), custom: foreign.custom };
  lab.publishLine([lying]);
  lab.publishDirector(lying);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_METADATA');
});

test("another device's director answer, whether it names a release or none", async (t) => {
  const { lab, updater } = await bench(t);
  const release = lab.release(IMAGE);
  assert.ok(await updater.check(COUNTER));
  lab.device = 'thermostat-2';
  lab.publishDirector(release);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_FOREIGN');
  lab.publishDirector(undefined);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_FOREIGN');
  // Only the targets are of another device: the rest is signed to fit.
  lab.device = LAB_DEVICE;
  const dated = { version: 9, expiresMs: lab.clock.nowMs() + DAY_MS };
  const targets = newDirectorTargets({ ...dated, device: 'thermostat-2', release });
  lab.put('director', '9.targets.json', signed(targets, lab.keys.director));
  lab.versions.set('director targets', 9);
  lab.publishOnline('director');
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_FOREIGN');
});

test('a director that names two releases, or delegates', async (t) => {
  const { lab, updater } = await bench(t);
  const release = lab.release(IMAGE);
  const dated = { version: 9, expiresMs: lab.clock.nowMs() + DAY_MS };
  const targets = newDirectorTargets({ ...dated, device: LAB_DEVICE, release });
  const other = labRelease(Buffer.from('x'), { version: '3.0.0' });
  const two = newDirectorTargets({ ...dated, device: LAB_DEVICE, release: other });
  Object.assign(targets.targets, two.targets);
  lab.put('director', '9.targets.json', signed(targets, lab.keys.director));
  lab.versions.set('director targets', 9);
  lab.publishOnline('director');
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_METADATA');
});

test('clock at 1970: no update, a clear error, and it goes on when the clock is right', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE);
  const nowMs = lab.clock.nowMs();
  lab.clock.jump(-nowMs);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_CLOCK');
  assert.equal(lab.fetch.requests.length, 0, 'not even asked for');
  lab.clock.jump(nowMs);
  assert.ok(await updater.check(COUNTER));
});

test('clock set back: metadata that had ended do not become fresh again', async (t) => {
  const { lab, updater, options } = await bench(t);
  lab.release(IMAGE);
  const old = lab.file('image', 'timestamp.json');
  lab.clock.advance(10 * DAY_MS);
  lab.publishOnline('image');
  lab.publishOnline('director');
  lab.publishDirector(undefined);
  lab.fetch.dateMs = lab.clock.nowMs();
  assert.equal(await updater.check(COUNTER), undefined);
  lab.put('image', 'timestamp.json', old);
  lab.clock.jump(-10 * DAY_MS);
  const restarted = await FirmwareUpdater.open(options);
  await refused(restarted.check(COUNTER), 'E_DEVICE_UPDATE_CLOCK');
});

test('clock at 2099: no update, the clock is named, and it goes on when it is right', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE);
  assert.ok(await updater.check(COUNTER));
  const aheadMs = Date.parse('2099-01-01T00:00:00Z') - lab.clock.nowMs();
  lab.clock.jump(aheadMs);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_CLOCK');
  lab.clock.jump(-aheadMs);
  assert.ok(await updater.check(COUNTER));
});

test('clock some hours ahead, within a life of metadata: right again, it is not locked out', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE);
  lab.clock.jump(20 * 3_600_000);
  assert.ok(await updater.check(COUNTER));
  lab.clock.jump(-20 * 3_600_000);
  assert.ok(await updater.check(COUNTER));
});

test('a clock set ahead and stolen online keys: the device is back when the keys are', async (t) => {
  const { lab, updater, options } = await bench(t);
  lab.release(IMAGE);
  assert.ok(await updater.check(COUNTER));
  const aheadMs = 300 * DAY_MS;
  lab.clock.jump(aheadMs);
  // The thief signs what is fresh by then, and the device believes that so much time has passed.
  for (const repository of ['image', 'director'] as const) lab.publishOnline(repository);
  lab.publishDirector(undefined);
  assert.equal(await updater.check(COUNTER), undefined);
  lab.clock.jump(-aheadMs);
  const restarted = await FirmwareUpdater.open(options);
  await refused(restarted.check(COUNTER), 'E_DEVICE_UPDATE_CLOCK');
  Object.assign(lab.keys, { image: [labKey()], director: [labKey()] });
  for (const repository of ['image', 'director'] as const) {
    lab.publishRoot(repository);
    lab.publishOnline(repository);
  }
  const release = lab.release(IMAGE, { version: '2.2.0' });
  assert.equal((await restarted.check(COUNTER))?.release.id, release.id);
});

test('truncated files on the device, at every length class: it recovers by itself', async (t) => {
  const recovered: string[] = [];
  const { lab, folder, options, updater } = await bench(t, {
    onRecovered: ({ repository, from }) => recovered.push(`${repository} ${from}`),
  });
  lab.release(IMAGE);
  assert.ok(await updater.check(COUNTER));
  lab.release(Buffer.from('another image'), { version: '2.1.0' });
  assert.ok(await updater.check(COUNTER));
  const kept = readdirSync(folder).filter((name) => name.includes('.trusted'));
  const names = ['director', 'image'].flatMap((r) => [`${r}.trusted`, `${r}.trusted.previous`]);
  assert.deepEqual(kept.toSorted(), names);
  const whole = new Map(kept.map((name) => [name, readFileSync(join(folder, name))]));
  const restore = (): void => {
    for (const [name, bytes] of whole) writeFileSync(join(folder, name), bytes);
  };
  for (const [name, { length }] of whole) {
    for (const cut of [0, 1, 63, 64, 65, 66, length >> 2, length >> 1, length - 2, length - 1]) {
      restore();
      truncateSync(join(folder, name), cut);
      assert.ok(await (await FirmwareUpdater.open(options)).check(COUNTER), `${name} at ${cut}`);
    }
  }
  assert.deepEqual(new Set(recovered), new Set(['image previous', 'director previous']));
  for (const cut of [0, 1, 64, 66, 3_000]) {
    restore();
    for (const name of kept) truncateSync(join(folder, name), cut);
    assert.ok(await (await FirmwareUpdater.open(options)).check(COUNTER), `all at ${cut}`);
  }
  assert.ok(recovered.includes('image built-in') && recovered.includes('director built-in'));
});

test('a flipped bit on the device counts as damage; the one before still protects', async (t) => {
  const { lab, folder, options, updater } = await bench(t);
  lab.release(IMAGE);
  assert.ok(await updater.check(COUNTER));
  const old = lab.file('image', 'timestamp.json');
  lab.publishTimestamp('image');
  assert.ok(await updater.check(COUNTER));
  lab.publishTimestamp('image');
  assert.ok(await updater.check(COUNTER));
  const path = join(folder, 'image.trusted');
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(200) ^ 4, 200);
  writeFileSync(path, bytes);
  lab.put('image', 'timestamp.json', old);
  const restarted = await FirmwareUpdater.open(options);
  await refused(restarted.check(COUNTER), 'E_DEVICE_UPDATE_ROLLBACK');
});

test('endless data: metadata and image are broken off at their limit', async (t) => {
  const { lab, updater, slot } = await bench(t);
  const { sha256 } = lab.release(IMAGE);
  let given = 0;
  const endless = async function* () {
    for (;;) {
      given += 65_536;
      yield Buffer.alloc(65_536);
    }
  };
  const trick = () => ({ status: 200, body: endless() });
  for (const [name, most] of [
    ['timestamp.json', 16_384],
    ['2.root.json', 524_288],
    ['2.snapshot.json', 524_288],
    ['2.targets.json', 4_194_304],
  ] as const) {
    given = 0;
    const path = `/update/v1/director/${name}`;
    lab.fetch.tricks.set(path, trick);
    await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_TOO_LARGE');
    assert.ok(given <= most + 65_536, `${name}: ${given}`);
    lab.fetch.tricks.delete(path);
  }
  given = 0;
  lab.fetch.tricks.set(`/update/v1/artifact/${sha256}`, trick);
  await refused(download(updater, slot), 'E_DEVICE_UPDATE_TOO_LARGE');
  assert.ok(given <= IMAGE.length + 65_536);
});

test('endless body of a refusal', async (t) => {
  const { lab, updater } = await bench(t);
  const endless = async function* () {
    for (;;) yield Buffer.alloc(65_536);
  };
  lab.fetch.tricks.set('/update/v1/director/timestamp.json', () => ({
    status: 500,
    body: endless(),
  }));
  await assert.rejects(updater.check(COUNTER));
});

test('slow drip: given up after a minute; just fast enough goes on', async (t) => {
  const { lab, updater, slot } = await bench(t);
  const { sha256 } = lab.release(IMAGE);
  const { clock } = lab;
  const path = `/update/v1/artifact/${sha256}`;
  lab.fetch.tricks.set(path, ({ signal }) => ({
    status: 200,
    body: drip({ clock, signal }, 59_999),
  }));
  const beganMs = clock.monotonicMs();
  await refused(download(updater, slot), 'E_DEVICE_UPDATE_SLOW');
  assert.equal(clock.monotonicMs() - beganMs, 60_000);
  const steady = async function* (from: number) {
    for await (const chunk of chunks(IMAGE.subarray(from), 60_000)) {
      yield chunk;
      clock.advance(60_000);
    }
  };
  lab.fetch.tricks.set(path, ({ from = 0 }) => ({
    status: from === 0 ? 200 : 206,
    contentRange: `bytes ${from}-${IMAGE.length - 1}/${IMAGE.length}`,
    body: steady(from),
  }));
  // What dripped was zeros: found when all is there, and then fetched from the beginning.
  assert.deepEqual(await download(updater, slot), IMAGE);
  assert.equal(clock.timerCount, 0);
});

test('slow drip of metadata, and of no answer at all', async (t) => {
  const { lab, updater } = await bench(t);
  const { clock } = lab;
  const path = '/update/v1/image/timestamp.json';
  lab.release(IMAGE);
  lab.fetch.tricks.set(path, ({ signal }) => ({ status: 200, body: drip({ clock, signal }, 100) }));
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_SLOW');
  lab.fetch.tricks.set(path, ({ signal }) => {
    clock.advance(60_000);
    signal?.throwIfAborted();
    throw new Error('was not stopped');
  });
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_SLOW');
});

test('oversized metadata, validly signed: the limit of the role counts', async (t) => {
  const { lab, updater } = await bench(t);
  const version = `2.0.0-${'x'.repeat(20)}`;
  const fixes = Array.from({ length: 256 }, (_, i) => `CVE-${String(i).padStart(58, '0')}`);
  const many = Array.from({ length: 280 }, (_, i) =>
    labRelease(IMAGE, { version: `${version}${i}`, fixes }),
  );
  const dated = { version: 5, expiresMs: lab.clock.nowMs() + DAY_MS };
  const line = newLine({ ...dated, line: LAB_LINE, releases: many });
  const bytes = signed(line, lab.keys.release.slice(0, 2));
  assert.ok(bytes.length > 4_194_304);
  lab.put('image', `5.line-${LAB_LINE}.json`, bytes);
  lab.versions.set(`image line-${LAB_LINE}`, 5);
  lab.publishOnline('image');
  const [first] = many;
  lab.publishDirector(first);
  await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_TOO_LARGE');
});

test('redirects are not followed', async (t) => {
  const { lab, updater } = await bench(t);
  for (const status of [301, 302, 307, 308]) {
    for (const name of ['2.root.json', 'timestamp.json']) {
      const path = `/update/v1/director/${name}`;
      lab.fetch.tricks.set(path, () => ({ status, body: chunks(Buffer.of()) }));
      await refused(updater.check(COUNTER), 'E_DEVICE_UPDATE_ANSWER');
      lab.fetch.tricks.delete(path);
    }
  }
});

test('the root was rotated five times while the device slept', async (t) => {
  const { lab, updater } = await bench(t);
  lab.release(IMAGE);
  for (let round = 0; round < 5; round += 1) {
    const old = lab.keys.root.slice(0, 2);
    lab.keys.root = [labKey(), labKey(), labKey()];
    for (const repository of ['image', 'director'] as const) {
      lab.keys[repository] = [labKey()];
      lab.publishRoot(repository, { keys: [...old, ...lab.keys.root.slice(0, 2)] });
    }
  }
  lab.publishTargets();
  lab.publishOnline('image');
  lab.publishDirector(lab.release(IMAGE, { version: '2.2.0' }));
  assert.equal((await updater.check(COUNTER))?.release.custom.version, '2.2.0');
});

test('roots that were mixed up at the factory are found at once', async (t) => {
  const { lab, options } = await bench(t);
  const swapped = { imageRoot: lab.roots.director, directorRoot: lab.roots.image };
  await refused(FirmwareUpdater.open({ ...options, ...swapped }), 'E_DEVICE_UPDATE_FOREIGN');
});
