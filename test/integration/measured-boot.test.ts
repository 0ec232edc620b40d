/**
 * Goal: whoever booted something else is not let in. Method: a TPM in software that measures and
 * quotes, through tpm2-tools and the SDK, against a real server with its policy as it comes.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type Bundle, type CallServer, proveBoot } from '@holdfast/device';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  type InProcessServer,
  RawClient,
  VirtualClock,
  run,
  signedPayload,
  softTpm,
  startInProcess,
  subscribePacket,
  whyNoTpms,
} from '@holdfast/testkit';
import { eventLogOf } from '../../packages/firmware/src/measured-boot/event-log.testing.ts';
import { People } from './firmware-people.ts';

const skip = whyNoTpms() ?? false;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const BOOT = [
  { pcr: 8, digest: sha256('kernel 2.0.0') },
  { pcr: 9, digest: sha256('console=ttyS0') },
];
const MEASUREMENTS = BOOT.map(({ pcr, digest }) => ({ pcr, events: [digest] }));

/** Calls the enrollment listener with the certificate of a device. */
function callAs({ info }: InProcessServer, { folder, anchorPem }: Bundle): CallServer {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const identity = { ca: anchorPem, cert: read('client.crt'), key: read('client.key') };
  const options = { ...identity, allowPartialTrustChain: true, method: 'POST', agent: false };
  return ({ path, post }) =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${info.enroll}${path}`, { ...options, ...post }, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
      });
      outgoing.on('error', reject);
      outgoing.end(post?.body);
    });
}

/** A machine with a TPM that has booted. */
async function boot(t: TestContext, events: typeof BOOT) {
  const tpm = await softTpm(t);
  const eventLog = join(tpm.folder, 'events');
  let seen: typeof BOOT = [];
  const measure = async (more: typeof BOOT): Promise<void> => {
    for (const { pcr, digest } of more) await tpm.tool('tpm2_pcrextend', `${pcr}:sha256=${digest}`);
    seen = [...seen, ...more];
    writeFileSync(eventLog, eventLogOf(seen));
  };
  await measure(events);
  return { measure, folder: tpm.folder, settings: { tcti: tpm.tcti, eventLog } };
}

/** Whether it may publish. */
async function isLetIn(bundle: Bundle, ctr: number): Promise<boolean> {
  const device = await RawClient.connect(bundle);
  const payload = Buffer.from(signedPayload(bundle, { ctr, temp: 20 }));
  const publish = { qos: 1, packetId: 7, retain: false } as const;
  device.send(encodePublish('d/gateway-1/telemetry', payload, publish));
  await device.expect('puback');
  await device.abort();
  return true;
}

test('a device proves what it booted, or is not heard', { skip }, async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const { client } = server;
  const bundle = await server.enroll('gateway-1', 'gateway');
  const call = callAs(server, bundle);
  const people = new People();
  await people.init(client);
  const release = await people.release(client, '2.0.0', undefined, { measurements: MEASUREMENTS });
  assert.deepEqual(release.facts.measurements, MEASUREMENTS);
  await client.assignRelease('gateway-1', { release: release.id });
  const machine = await boot(t, BOOT);
  const readings = async (): Promise<number> => (await client.readings('gateway-1')).length;
  await isLetIn(bundle, 1);
  assert.equal(await readings(), 1, 'no TPM is bound to it');

  assert.equal(await proveBoot(call, machine.settings), 'waiting');
  const shown = await client.tpm('gateway-1');
  assert.deepEqual([shown.trust, shown.boot], ['nobody', undefined]);
  await assert.rejects(client.acceptTpm('gateway-1', sha256('another')), /has shown the TPM/u);
  assert.equal((await client.acceptTpm('gateway-1', shown.ekSha256)).boot, 'unproven');
  const codes = await server.refusedDuring(() => isLetIn(bundle, 2));
  assert.deepEqual(codes, ['E_AUTHORIZE_PUBLISH']);
  assert.equal(await readings(), 1);

  assert.equal(await proveBoot(call, machine.settings), 'proven');
  const proven = await client.tpm('gateway-1');
  assert.deepEqual([proven.boot, proven.proof?.release], ['proven', 'thermo@2.0.0']);
  await isLetIn(bundle, 3);
  assert.equal(await readings(), 2);

  // The program for gateways does the same.
  const config = join(machine.folder, 'agent.json');
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      bundle: bundle.folder,
      state: 'agent',
      hardware: 'thermo-a',
      roots: { image: 'image.json', director: 'director.json' },
      slots: { kind: 'directory', root: 'slots' },
      tpm: machine.settings,
    }),
  );
  const program = join(import.meta.dirname, '../../packages/device/bin/holdfast-agent.js');
  const done = await run(process.execPath, [program, 'prove-boot', '--config', config]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /has taken the proof/u);

  const listener = await RawClient.connect(bundle);
  listener.send(subscribePacket(9, [{ filter: 'd/gateway-1/cmd/#', qos: 1 }]));
  await listener.expect('suback');

  // The next boot has another command line.
  await machine.measure([{ pcr: 9, digest: sha256('init=/bin/sh') }]);
  await server.expectRefusal('E_UPDATE_BOOT', () =>
    assert.rejects(proveBoot(call, machine.settings), { code: 'E_DEVICE_BOOT' }),
  );
  const other = await client.tpm('gateway-1');
  assert.equal(other.boot, 'unproven');
  assert.match(other.why ?? '', /measurement: PCR 9, event 2: .* not expected/u);
  await listener.closed();
  await isLetIn(bundle, 4);
  assert.equal(await readings(), 2, 'it is not heard');

  // A machine that is sound, and not this one.
  const elsewhere = await boot(t, BOOT);
  await server.expectRefusal('E_UPDATE_TPM', () =>
    assert.rejects(proveBoot(call, elsewhere.settings), { code: 'E_DEVICE_BOOT' }),
  );
});
