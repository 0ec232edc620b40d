/** Debian's mender-client takes updates from here over mutual TLS, by Mender's device interface. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitFor } from '@holdfast/testkit';
import { makeMenderFile } from './mender-file.ts';
import { type UpdateDevice, ended, openUpdateDevice } from './update-clients.ts';

const IMAGE = randomBytes(3_000_000);
const OLD = 'the old one';

/** Its paths are built in: it gets its own view of them, which ends with it. */
const MISSING = existsSync('/usr/bin/mender')
  ? spawnSync('unshare', ['--mount', 'true']).status !== 0 && 'needs a mount namespace: be root'
  : 'apt-get install mender-client';
const options = { skip: MISSING, timeout: 300_000 };

/** Starts `mender daemon`, as docs/guides/firmware.md tells. */
function startMender(t: TestContext, place: UpdateDevice, publicKey: string): () => string {
  const { folder, files, line } = place;
  const verifyKey = join(folder, 'verify.pem');
  writeFileSync(verifyKey, publicKey);
  const config = join(folder, 'mender.conf');
  writeFileSync(
    config,
    JSON.stringify({
      ServerURL: `https://localhost:${line.port}`,
      ServerCertificate: files.ca,
      HttpsClient: { Certificate: files.certificate, Key: files.key },
      ArtifactVerifyKey: verifyKey,
      UpdatePollIntervalSeconds: 1,
      InventoryPollIntervalSeconds: 30,
      RetryPollIntervalSeconds: 1,
      DBus: { Enabled: false },
    }),
  );
  const script = `set -e
for place in /usr/share/mender/identity /etc/mender /var/lib; do mount -t tmpfs none $place; done
mkdir -m 700 /var/lib/mender
printf '#!/bin/sh\\necho serial=17\\n' > /usr/share/mender/identity/mender-device-identity
chmod 755 /usr/share/mender/identity/mender-device-identity
echo artifact_name=thermostat@1.0.0 > /etc/mender/artifact_info
echo device_type=thermo-a > /var/lib/mender/device_type
exec mender --config "$0" --no-syslog daemon
`;
  const logFile = join(folder, 'mender.log');
  const output = openSync(logFile, 'a');
  const args = ['--mount', 'sh', '-c', script, config];
  const child = spawn('unshare', args, { stdio: ['ignore', output, output] });
  t.after(() => ended(child));
  return () => readFileSync(logFile, 'utf8');
}

interface SetUp {
  readonly place: UpdateDevice;
  readonly installed: string;
  readonly publicKey: string;
  readonly artifact: (key?: string) => Buffer;
}

async function setUp(t: TestContext): Promise<SetUp> {
  const place = await openUpdateDevice(t);
  const { target } = place;
  const installed = join(target, 'app.bin');
  writeFileSync(installed, OLD);
  const { privateKey, publicKey } = keyPair();
  const text = (value: string): Buffer => Buffer.from(`${value}\n`);
  // The module that Debian ships for single files.
  const payload = { dest_dir: text(target), filename: text('app.bin'), permissions: text('644') };
  const facts = { name: 'thermostat@2.0.0', deviceType: 'thermo-a', type: 'single-file' };
  return {
    place,
    installed,
    publicKey,
    artifact: (key = privateKey) =>
      makeMenderFile({ ...facts, files: { ...payload, 'app.bin': IMAGE }, key }),
  };
}

function keyPair(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

test('Mender installs what is signed, and says so', options, async (t) => {
  const { place, installed, publicKey, artifact } = await setUp(t);
  await place.release('thermostat.mender', artifact());
  startMender(t, place, publicKey);
  await waitFor('confirmed', () => place.states().includes('confirmed'));
  assert.ok(readFileSync(installed).equals(IMAGE));
  assert.deepEqual(place.states(), ['downloading', 'staged', 'confirmed']);
  assert.equal(place.lab.updates.taken.at(-1)?.report.hardware, 'thermo-a');
  assert.deepEqual(place.lab.reports, []);
});

test('Mender refuses what somebody else signed', options, async (t) => {
  const { place, installed, publicKey, artifact } = await setUp(t);
  await place.release('thermostat.mender', artifact(keyPair().privateKey));
  startMender(t, place, publicKey);
  await waitFor('the reason', () => place.why() !== '');
  assert.equal(readFileSync(installed, 'utf8'), OLD);
  assert.equal(place.states().at(-1), 'failed');
  assert.match(place.why(), /signature|verif/iu);
});

test('Mender refuses a file with one byte flipped', options, async (t) => {
  const { place, installed, publicKey, artifact } = await setUp(t);
  const bytes = artifact();
  bytes.writeUInt8(bytes.readUInt8(2_000_000) ^ 1, 2_000_000);
  await place.release('thermostat.mender', bytes);
  startMender(t, place, publicKey);
  await waitFor('the reason', () => place.why() !== '');
  assert.equal(readFileSync(installed, 'utf8'), OLD);
  assert.equal(place.states().at(-1), 'failed');
});

test('Mender goes on where its connection was cut', options, async (t) => {
  const { place, installed, publicKey, artifact } = await setUp(t);
  const bytes = artifact();
  await place.release('thermostat.mender', bytes);
  place.line.cutAfter(1_500_000);
  const log = startMender(t, place, publicKey);
  await waitFor('confirmed', () => place.states().includes('confirmed'), 240_000);
  assert.equal(place.line.cuts, 1);
  assert.ok(readFileSync(installed).equals(IMAGE));
  assert.match(log(), /Attempting to resume artifact download/u);
  assert.equal(place.lab.updates.asked, 2);
  assert.ok(place.lab.services.counts.bytes < bytes.length * 1.9);
});
