/** Debian's SWUpdate takes updates from here over mutual TLS, by hawkBit's device interface. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Refusal } from '@holdfast/protocol';
import { startInProcess, temporaryFolder, waitFor } from '@holdfast/testkit';
import { People, sourceOf } from '../integration/firmware-people.ts';
import { type Signer, makeSigner, makeSwu } from './swu-file.ts';
import { type ClientPlace, type UpdateDevice, ended, openUpdateDevice } from './update-clients.ts';

const IMAGE = randomBytes(3_000_000);
const MISSING = existsSync('/usr/bin/swupdate') ? false : 'apt-get install swupdate';
const options = { skip: MISSING, timeout: 300_000 };

/** What runs on the device. */
interface Running {
  readonly log: () => string;
  stop(): Promise<void>;
}

/** Starts `swupdate`, as docs/guides/firmware.md tells. */
function startSwupdate(
  t: TestContext,
  { folder, files, line, device }: ClientPlace,
  { signer, more = '' }: { signer: Signer; more?: string },
): Running {
  const config = join(folder, 'swupdate.cfg');
  writeFileSync(
    config,
    `globals : { verbose = false; };
suricatta : {
  tenant = "DEFAULT"; id = "${device.id}"; url = "https://localhost:${line.port}";
  cafile = "${files.ca}"; sslkey = "${files.key}"; sslcert = "${files.certificate}";
  retry = 5; retrywait = 1;
};
identify : ( { name = "hardware"; value = "thermo-a"; } );
`,
  );
  const sockets = join(folder, 'run');
  mkdirSync(sockets, { recursive: true });
  const logFile = join(folder, 'swupdate.log');
  const output = openSync(logFile, 'a');
  const trust = ['-k', signer.certificate, '--cert-purpose', 'codeSigning'];
  const args = [
    '-f',
    config,
    ...trust,
    '-H',
    'thermo-a:1.0',
    '-l',
    '4',
    '-u',
    `-w 1 ${more}`.trim(),
  ];
  const env = { ...process.env, TMPDIR: sockets };
  // As systemd starts it. Its parts ask each other, and hang up after 100 ms without an answer: the
  // one that answers then, on a busy machine, would die of SIGPIPE.
  const command = ['--ignore-signal=PIPE', 'swupdate', ...args];
  const child = spawn('env', command, { env, stdio: ['ignore', output, output] });
  const stop = (): Promise<void> => ended(child);
  t.after(stop);
  return { log: () => readFileSync(logFile, 'utf8'), stop };
}

/** Starts it again as a boot loader would that found the new one to run well. */
async function confirmAfterRestart(
  t: TestContext,
  {
    place,
    signer,
    look,
  }: { place: ClientPlace; signer: Signer; look: () => boolean | Promise<boolean> },
): Promise<void> {
  const running = startSwupdate(t, place, { signer, more: '-c 2' });
  await waitFor('confirmed', look);
  await running.stop();
}

interface SetUp {
  readonly place: UpdateDevice;
  readonly signer: Signer;
  readonly installed: string;
  readonly swu: (by?: Signer) => Promise<Buffer>;
}

async function setUp(t: TestContext): Promise<SetUp> {
  const place = await openUpdateDevice(t);
  const { folder, target } = place;
  const signer = await makeSigner(folder, 'release');
  const installed = join(target, 'app.bin');
  const facts = { target: installed, version: '2.0.0' };
  return {
    place,
    signer,
    installed,
    swu: (by = signer) => makeSwu(folder, IMAGE, { ...facts, signer: by }),
  };
}

test('SWUpdate installs what is signed, and confirms it after its restart', options, async (t) => {
  const { place, signer, installed, swu } = await setUp(t);
  await place.release('thermostat.swu', await swu());
  const first = startSwupdate(t, place, { signer });
  await waitFor('staged', () => place.states().includes('staged'));
  assert.ok(readFileSync(installed).equals(IMAGE));
  await first.stop();
  await confirmAfterRestart(t, { place, signer, look: () => place.states().includes('confirmed') });
  assert.deepEqual(place.states(), ['downloading', 'staged', 'confirmed']);
  const reports = place.lab.updates.taken.map(({ report }) => report);
  assert.ok(reports.every(({ release }) => ['', 'thermostat@2.0.0'].includes(release)));
  assert.equal(reports.at(-1)?.hardware, 'thermo-a');
  // It is stopped in the middle of whatever it asks, or says.
  const isCut = ({ code, detail }: Refusal): boolean =>
    code === 'E_WIRE_REQUEST' || detail.startsWith('the body broke off');
  const refused = place.lab.reports.filter(({ refusal }) => !isCut(refusal));
  assert.deepEqual(refused, []);
  const path = `/DEFAULT/controller/v1/${place.device.id}`;
  const after = await place.lab.ask(place.device, { path });
  assert.doesNotMatch(after.text, /deploymentBase|configData/u);
});

test('SWUpdate refuses what somebody else signed', options, async (t) => {
  const { place, signer, installed, swu } = await setUp(t);
  const other = await makeSigner(place.folder, 'thief');
  await place.release('thermostat.swu', await swu(other));
  const { log } = startSwupdate(t, place, { signer });
  await waitFor('failed', () => place.states().includes('failed'));
  assert.ok(!existsSync(installed));
  assert.match(log(), /Authentication of all signatures failed/u);
  assert.notEqual(place.why(), '');
});

test('SWUpdate refuses a file with one byte flipped', options, async (t) => {
  const { place, signer, installed, swu } = await setUp(t);
  const bytes = await swu();
  bytes.writeUInt8(bytes.readUInt8(2_000_000) ^ 1, 2_000_000);
  await place.release('thermostat.swu', bytes);
  startSwupdate(t, place, { signer });
  await waitFor('failed', () => place.states().includes('failed'));
  assert.ok(!existsSync(installed) || !readFileSync(installed).equals(IMAGE));
  assert.notEqual(place.why(), '');
});

test('SWUpdate goes on where its connection was cut', options, async (t) => {
  const { place, signer, installed, swu } = await setUp(t);
  const bytes = await swu();
  await place.release('thermostat.swu', bytes);
  place.line.cutAfter(1_500_000);
  startSwupdate(t, place, { signer });
  await waitFor('staged', () => place.states().includes('staged'), 240_000);
  assert.equal(place.line.cuts, 1);
  assert.ok(readFileSync(installed).equals(IMAGE));
  // Computed once for the checksums, read twice by the device, and not twice as a whole.
  assert.equal(place.lab.updates.asked, 3);
  assert.ok(place.lab.services.counts.bytes < bytes.length * 1.9);
});

test('from two signatures of people to the report of SWUpdate', options, async (t) => {
  const server = await startInProcess(t);
  const { client, ports } = server;
  const bundle = await server.enroll('thermostat-17');
  const folder = temporaryFolder(t);
  const signer = await makeSigner(folder, 'release');
  const target = join(folder, 'app.bin');
  const swu = await makeSwu(folder, IMAGE, { target, version: '2.0.0', signer });
  const people = new People();
  await people.init(client);
  const { sha256 } = await client.uploadArtifact(sourceOf(swu));
  const facts = { line: 'thermo', version: '2.0.0', hardware: ['thermo-a'], counter: 1 };
  const { request } = await client.proposeRelease({
    sha256,
    fileName: 'thermostat.swu',
    release: facts,
  });
  for (const person of [people.ann, people.bob]) await people.sign(client, request, person);
  await client.assignRelease('thermostat-17', { release: 'thermo@2.0.0' });

  const file = (name: string): string => join(bundle.folder, name);
  const files = {
    ca: join(folder, 'ca.crt'),
    certificate: file('client.crt'),
    key: file('client.key'),
  };
  writeFileSync(files.ca, bundle.anchorPem);
  const place = { folder, files, device: { id: 'thermostat-17' }, line: { port: ports.enroll } };
  const stateOf = async (): Promise<string | undefined> =>
    (await client.deviceUpdate('thermostat-17')).reported?.state;
  const first = startSwupdate(t, place, { signer });
  await waitFor('staged', async () => (await stateOf()) === 'staged');
  assert.ok(readFileSync(target).equals(IMAGE));
  await first.stop();
  const look = async (): Promise<boolean> => (await stateOf()) === 'confirmed';
  await confirmAfterRestart(t, { place, signer, look });
  assert.equal((await client.deviceUpdate('thermostat-17')).reported?.hardware, 'thermo-a');
});
