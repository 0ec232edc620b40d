/**
 * A disk that really is full: a small tmpfs, which another program fills up. Below the reserve
 * messages are refused by a word that each protocol has for it, and nothing that was acknowledged
 * is lost; when space returns, everything goes on by itself.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  rmdirSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { enroll } from '@holdfast/device';
import {
  DEBIAN_PYTHON,
  collect,
  holdfast,
  run,
  signedPayload,
  startServer,
  storedCounters,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';
import { connectAsync } from 'mqtt';

const MIB = 2 ** 20;
const DISK_MIB = 64;
const RESERVE_MIB = 8;
const QUOTA_EXCEEDED = 0x97;

/** Mounts a small disk; undefined where that is not permitted. */
function mountSmallDisk(t: TestContext): string | undefined {
  const at = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  const options = ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', at];
  const isMounted = spawnSync('mount', options).status === 0;
  t.after(() => {
    // Lazily: the server ends later than this.
    if (isMounted) spawnSync('umount', ['-l', at]);
    rmdirSync(at);
  });
  return isMounted ? at : undefined;
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/** Takes room away, or gives some back, until so much is left; never more than that meanwhile. */
function fill(disk: string, leftBytes: number): void {
  const file = openSync(join(disk, 'filler'), 'a');
  const block = Buffer.alloc(65_536);
  try {
    while (freeBytes(disk) > leftBytes) writeSync(file, block);
    const missing = leftBytes - freeBytes(disk);
    if (missing > 0) ftruncateSync(file, fstatSync(file).size - missing);
  } catch (error) {
    assert.match(String(error), /ENOSPC/);
  } finally {
    closeSync(file);
  }
}

test('a full disk is told to each peer in its own words, and is got over', async (t) => {
  const folder = temporaryFolder(t);
  const disk = mountSmallDisk(t);
  if (disk === undefined) return t.skip('a tmpfs cannot be mounted here: it needs root');
  const dataDir = join(disk, 'data');
  const server = await startServer(t, { dataDir, args: ['--disk-reserve', `${RESERVE_MIB}`] });
  const client = server.client();
  t.after(() => client.close());
  const add = async (id: string) => {
    const { claim } = await client.addDevice({ id, class: 'gateway' });
    return enroll({ claim: claim.text, out: join(folder, id) });
  };
  const [old, modern, web] = [await add('old'), await add('modern'), await add('web')];
  const load = spawn(DEBIAN_PYTHON, [
    '-u',
    join(import.meta.dirname, 'load.py'),
    old.folder,
    String(server.ports.broker),
    'old',
    '1',
  ]);
  t.after(() => load.kill('SIGKILL'));
  const output = collect(load);
  const acknowledged = (): number[] => output.stdout.split('\n').slice(0, -1).map(Number);
  const logged = (what: string): boolean => server.output.stdout.includes(`"disk.${what}"`);
  const said: unknown[] = [];
  const mqtt = await connectAsync(`mqtts://localhost:${server.ports.broker}`, {
    protocolVersion: 5,
    clientId: 'modern',
    ca: modern.anchorPem,
    cert: modern.certificatePem,
    key: modern.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  });
  t.after(() => void mqtt.end(true));
  const publish = (ctr: number, qos: 1 | 2): Promise<unknown> => {
    const payload = signedPayload(modern, { ctr, ts: Date.now() });
    return mqtt.publishAsync('d/modern/telemetry', payload, { qos }).then(
      () => 'taken',
      (error: { code?: unknown }) => error.code,
    );
  };
  const post = async (ctr: number): Promise<string> => {
    const payload = signedPayload(web, { ctr, ts: Date.now() });
    const { stdout } = await run('curl', [
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '--cacert',
      join(web.folder, 'ca.crt'),
      '--cert',
      join(web.folder, 'client.crt'),
      '--key',
      join(web.folder, 'client.key'),
      '-H',
      'content-type: application/json',
      '-d',
      payload.toString(),
      `https://localhost:${server.ports.api}/v1/d/web/telemetry`,
    ]);
    return stdout;
  };
  assert.deepEqual(
    [await publish(1, 1), await publish(2, 2), await post(1)],
    ['taken', 'taken', '200'],
  );
  await waitFor('the load to flow', () => acknowledged().length > 200);

  // All at once, so that what is on its way to the disk at that time does not fit any more.
  fill(disk, 0);
  await waitFor('the alarm', () => logged('full'));
  const before = acknowledged().length;
  // Now there is room for what the server has to say, and none for messages.
  fill(disk, (RESERVE_MIB / 2) * MIB);
  said.push(await publish(3, 1), await publish(4, 2), await post(2));
  assert.deepEqual(said, [QUOTA_EXCEEDED, QUOTA_EXCEEDED, '507']);
  const status = await server.cli(['status']);
  assert.match(status.stdout, /disk +nearly full, \d MiB free, and 8 MiB are kept/);
  const added = await server.cli(['device', 'add', 'another', '--class', 'sensor']);
  assert.equal(added.code, 0, `what an operator does has room: ${added.stderr}`);
  // At most what had been stored when the disk became full.
  const settled = acknowledged().length;
  assert.ok(settled - before <= 200, `${settled - before} acknowledged on a full disk`);

  rmSync(join(disk, 'filler'));
  await waitFor('acknowledgements to go on', () => acknowledged().length > settled + 200);
  assert.deepEqual(
    [await publish(3, 1), await publish(4, 2), await post(2)],
    ['taken', 'taken', '200'],
  );
  await waitFor('the end of the alarm', () => logged('good'));
  load.kill('SIGKILL');
  const stored = await storedCounters(client, 'old');
  const missing = acknowledged().filter((counter) => !stored.has(counter));
  assert.deepEqual(missing, []);
  const ofModern = await storedCounters(client, 'modern');
  assert.deepEqual(
    [...ofModern].toSorted((a, b) => a - b),
    [1, 2, 3, 4],
  );
  const refusals = await client.refusals({ limit: 1_000 });
  assert.ok(refusals.some((refusal) => refusal.code === 'E_JOURNAL_DISK_FULL'));
  assert.equal((await server.stop()).code, 0);
  const verified = await holdfast(['audit', 'verify', '--data', dataDir, '--json']);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});
