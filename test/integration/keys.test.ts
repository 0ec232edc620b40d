/** Keys over the years of a running server: rotated, replaced, and all of them read and erased. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { encodePublish } from '@holdfast/protocol/mqtt';
import { restoreData, verifyData } from '@holdfast/server';
import {
  type InProcessServer,
  RawClient,
  type SoftToken,
  VirtualClock,
  holdfast,
  signedPayload,
  softToken,
  startInProcess,
  startServer,
  temporaryFolder,
  waitFor,
  whyNoTokens,
} from '@holdfast/testkit';

const DAY_MS = 86_400_000;

/** Sends a reading for each counter. */
async function report(bundle: Bundle, counters: readonly number[]): Promise<void> {
  const device = await RawClient.connect(bundle);
  for (const ctr of counters) {
    const payload = Buffer.from(signedPayload(bundle, { ctr, n: ctr }));
    const options = { qos: 1, packetId: 7, retain: false } as const;
    device.send(encodePublish('d/pump-1/telemetry', payload, options));
    await device.expect('puback');
  }
  await device.abort();
}

/** What is read of the device, newest first. */
async function readBack({ client }: Pick<InProcessServer, 'client'>): Promise<unknown[]> {
  const readings = await client.readings('pump-1');
  return readings.map(({ payload }) => (JSON.parse(payload) as { n: unknown }).n);
}

async function rotated({ client }: Pick<InProcessServer, 'client'>) {
  await client.rotateKeys();
  return waitFor('the rotation', async () => {
    const status = await client.keyStatus();
    return status.rotation === undefined ? status : undefined;
  });
}

test('a rotation under a running server: all is read, and a backup made before opens', async (t) => {
  let server = await startInProcess(t);
  const bundle = await server.enroll('pump-1', 'gateway');
  await report(bundle, [1, 2, 3]);
  const folder = temporaryFolder(t);
  const to = `folder:${join(folder, 'backups')}`;
  await server.client.makeBackup({ to });
  await waitFor('the backup', async () => {
    const { run } = await server.client.backupStatus();
    return run?.state === 'made' ? run : undefined;
  });

  const { versions } = await rotated(server);
  assert.equal(versions.length, 2);
  assert.deepEqual([versions[0]?.dataKeys, versions[0]?.retiredAt !== undefined], [0, true]);
  assert.equal(await server.metric('holdfast_kek_version'), 2);
  assert.equal(await server.metric('holdfast_kek_rotation_left'), 0);
  await report(bundle, [4]);
  assert.deepEqual(await readBack(server), [4, 3, 2, 1]);
  const acts = (await server.client.acts()).map(({ action }) => action);
  assert.ok(acts.indexOf('keys.retire') < acts.indexOf('keys.rotate'));

  server = await server.restart();
  assert.deepEqual(await readBack(server), [4, 3, 2, 1]);
  const unsealKeyFile = join(server.dataDir, 'unseal.key');
  const restored = await restoreData({
    from: to,
    dataDir: join(folder, 'restored'),
    unsealKeyFile,
  });
  assert.ok(restored.verified.ok);
  await server.stop();
  const { ok, findings } = await verifyData({ dataDir: server.dataDir });
  assert.ok(ok, JSON.stringify(findings));
});

/** Lets all data keys of a stopped server look older. */
function age(dataDir: string, byMs: number): void {
  const database = new DatabaseSync(join(dataDir, 'registry.db'));
  database.prepare('UPDATE data_key SET created_ms = created_ms - ?').run(byMs);
  database.close();
}

/** Restarts with keys of 90 days, uses them, and lets the server look at them. */
async function renewed(
  server: InProcessServer,
  use: () => Promise<void>,
): Promise<InProcessServer> {
  await server.stop();
  age(server.dataDir, 90 * DAY_MS);
  const clock = new VirtualClock();
  const again = await server.restart({ clock });
  await use();
  const before = (await again.client.acts()).filter(isDeviceRenewal).length;
  clock.advance(60_000);
  await waitFor('new keys', async () =>
    (await again.client.acts()).filter(isDeviceRenewal).length > before ? true : undefined,
  );
  return again;
}

function isDeviceRenewal({ action, facts }: { action: string; facts?: unknown }): boolean {
  return action === 'keys.renew' && JSON.stringify(facts).includes('"device"');
}

async function currentKeys({ client }: InProcessServer, purpose: string) {
  const { purposes } = await client.keyStatus();
  const found = purposes.find((one) => one.purpose === purpose);
  return [found?.current, found?.former, found?.destroyed];
}

test('old keys are replaced; readings, acts and counters go on over all of them', async (t) => {
  let server = await startInProcess(t);
  const bundle = await server.enroll('pump-1', 'gateway');
  await report(bundle, [1, 2]);
  server = await renewed(server, () => report(bundle, [3]));
  await report(bundle, [4]);
  assert.deepEqual(await currentKeys(server, 'device'), [1, 1, 0]);
  assert.deepEqual(await currentKeys(server, 'acts'), [1, 1, 0]);
  assert.deepEqual(await currentKeys(server, 'records'), [1, 1, 0]);
  server = await renewed(server, () => report(bundle, [5]));
  assert.deepEqual(await readBack(server), [5, 4, 3, 2, 1], 'nothing was sent under the third');
  assert.ok((await server.client.acts()).some(({ action }) => action === 'server.start'));

  server = await server.restart();
  assert.deepEqual(await currentKeys(server, 'device'), [1, 2, 0]);
  const refused = await server.refusedDuring(() => report(bundle, [4, 5, 6]));
  assert.deepEqual(refused, ['E_VERIFY_REPLAY', 'E_VERIFY_REPLAY']);
  assert.deepEqual(await readBack(server), [6, 5, 4, 3, 2, 1]);
  const page = await server.client.readings('pump-1', { limit: 2 });
  const next = await server.client.readings('pump-1', { limit: 3, before: page[1]?.index ?? 0 });
  assert.deepEqual(
    next.map(({ payload }) => (JSON.parse(payload) as { n: unknown }).n),
    [4, 3, 2],
  );

  const refs = contentKeys(server.dataDir);
  assert.equal(refs.length, 3);
  await server.client.eraseDevice('pump-1', 'a test');
  assert.deepEqual(await currentKeys(server, 'device'), [1, 0, 3]);
  assert.deepEqual(await readBack(server), []);
  await report(bundle, [7]);
  assert.deepEqual(await readBack(server), [7]);
  await server.stop();
  const { ok, findings } = await verifyData({ dataDir: server.dataDir });
  assert.ok(ok, JSON.stringify(findings));
});

function contentKeys(dataDir: string): number[] {
  const database = new DatabaseSync(join(dataDir, 'registry.db'), { readOnly: true });
  const rows = database.prepare("SELECT ref FROM data_key WHERE purpose = 'device'").all();
  database.close();
  return rows.map(({ ref }) => Number(ref));
}

const skip = whyNoTokens() ?? false;

/** How many key-encryption keys are in a token, as another program sees it. */
function keksIn({ module, label, pin, env }: SoftToken): number {
  const args = ['--module', module, '--token-label', label, '--login', '--pin', pin];
  const objects = ['-O', '--type', 'secrkey'];
  const { stdout, status, stderr } = spawnSync('pkcs11-tool', [...args, ...objects], {
    env: { ...process.env, ...env },
  });
  assert.equal(status, 0, stderr.toString());
  return stdout.toString().split('holdfast key-encryption key').length - 1;
}

test('a rotation in a token ends with one key there', { skip }, async (t: TestContext) => {
  const token = softToken(t);
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const pinFile = join(folder, 'pin');
  writeFileSync(pinFile, `${token.pin}\n`, { mode: 0o600 });
  const withPin = ['--pkcs11-pin-file', pinFile];
  const place = ['--pkcs11-module', token.module, '--pkcs11-token', token.label];
  const args = ['--custody', 'pkcs11', ...place, ...withPin];
  const server = await startServer(t, { dataDir, args });
  await server.client().addDevice({ id: 'pump-1', class: 'sensor' });
  const keksOf = (): string[] => {
    const file = readFileSync(join(dataDir, 'custody.json'), 'utf8');
    return (JSON.parse(file) as { keks: string[] }).keks;
  };
  const [before] = keksOf();
  const { code, stdout, stderr } = await holdfast(['keys', 'rotate', '--data', dataDir]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /version 2/u);
  await waitFor('the end', async () => {
    const { rotation } = await server.client().keyStatus();
    return rotation === undefined ? true : undefined;
  });
  await server.stop();
  assert.equal(keksIn(token), 1);
  assert.equal(keksOf().length, 1);
  assert.notEqual(keksOf()[0], before);
  const again = await startServer(t, { dataDir, args: withPin });
  assert.equal((await again.client().device('pump-1')).device.id, 'pump-1');
  await again.stop();
});
