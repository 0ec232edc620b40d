/** Goal: a device counts as proven by its own TPM and a fresh quote of the right release alone. */
import assert from 'node:assert/strict';
import { X509Certificate, createHash, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Release } from '@holdfast/firmware';
import { type DeviceId, Refusal, parseDeviceId } from '@holdfast/protocol';
import type { ServerEvent } from '../../audit/index.ts';
import { Secret, createLog, systemRandom } from '../../kernel/index.ts';
import { SealedStore } from '../../persistence/index.ts';
import { opensslLab } from '../../pki/openssl.testing.ts';
import { DeviceRegistry } from '../../registry/index.ts';
import type { DeviceUpdate } from '../reports.ts';
import { BootProofs } from './boot-proofs.ts';
import type { TpmManufacturer } from './endorsement.ts';
import { CHALLENGE_MS, PROOF_MS, PROOF_SWEEP_MS } from './limits.ts';
import { SoftAttester } from './soft-attester.testing.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const BOOT = [sha256('kernel'), sha256('initrd')];

function releaseOf(
  version: string,
  events: readonly string[] | undefined,
  { line = 'thermo', counter = 1 } = {},
): Release {
  const facts = { line, version, hardware: ['thermo-a'], counter };
  return {
    id: `${line}@${version}`,
    path: `${line}/${version}/image`,
    length: 1,
    sha256: sha256(version),
    custom: { ...facts, ...(events && { measurements: [{ pcr: 8, events: [...events] }] }) },
  };
}

const RELEASES = [
  releaseOf('1.0.0', [sha256('old')]),
  releaseOf('2.0.0', BOOT, { counter: 2 }),
] as const;
const idOf = (text: string): DeviceId => {
  const id = parseDeviceId(text);
  return id instanceof Refusal ? assert.fail(id.detail) : id;
};
const PUMP = idOf('pump-1');

function lab(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  const clock = {
    ms: 1_790_000_000_000,
    tasks: [] as { at: number; task: () => void }[],
    nowMs: () => clock.ms,
    monotonicMs: () => clock.ms,
    after: (delayMs: number, task: () => void) => {
      clock.tasks.push({ at: clock.ms + delayMs, task });
      return () => {};
    },
    advance: (ms: number) => {
      clock.ms += ms;
      const due = clock.tasks.filter(({ at }) => at <= clock.ms);
      clock.tasks = clock.tasks.filter(({ at }) => at > clock.ms);
      for (const { task } of due) task();
    },
  };
  const unsealKey = new Secret(systemRandom(32));
  const open = () =>
    new SealedStore(join(folder, 'r.db'), { unsealKey, random: systemRandom }, { clock });
  let store = open();
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const events: ServerEvent[] = [];
  const assigned = new Map<string, Release>();
  const told = new Map<string, DeviceUpdate>();
  const releases: Release[] = [...RELEASES];
  const manufacturers: TpmManufacturer[] = [];
  const held: { isOn: boolean; go: (() => void)[] } = { isOn: false, go: [] };
  const recordEvent = async (event: ServerEvent): Promise<void> => {
    events.push(event);
    if (held.isOn) await new Promise<void>((resolve) => held.go.push(resolve));
  };
  const start = () => {
    const registry = new DeviceRegistry(store, { clock });
    const proofs = new BootProofs({
      clock,
      random: systemRandom,
      log: createLog({ form: 'json', level: 'silent', write: () => {} }),
      store,
      recordEvent,
      registry,
      manufacturers: { all: () => manufacturers },
      releases: { list: () => releases },
      director: { assigned: (device) => assigned.get(device) },
      reports: { of: (device) => told.get(device) },
    });
    proofs.start();
    return { registry, proofs };
  };
  let parts = start();
  for (const id of ['pump-1', 'pump-2']) parts.registry.add({ id, class: 'gateway' });
  assigned.set(PUMP, RELEASES[1]);
  return {
    clock,
    events,
    assigned,
    told,
    releases,
    manufacturers,
    /** Keeps the log waiting, until the returned function is called. */
    holdLog: () => {
      held.isOn = true;
      return () => {
        held.isOn = false;
        for (const go of held.go.splice(0)) go();
      };
    },
    get proofs() {
      return parts.proofs;
    },
    bootOf: (id = 'pump-1') => parts.registry.byId(id)?.boot,
    restart: () => {
      store.close();
      store = open();
      parts = start();
    },
  };
}

/** Binds a TPM as a device does. */
async function bind({ proofs }: ReturnType<typeof lab>, tpm: SoftAttester, device = PUMP) {
  const credential = proofs.bind(device, tpm.shown);
  if (credential instanceof Refusal) return credential;
  return await proofs.activate(device, tpm.open(credential) ?? assert.fail('not opened'));
}

async function prove({ proofs }: ReturnType<typeof lab>, tpm: SoftAttester, device = PUMP) {
  const nonce = proofs.challenge(device);
  return nonce instanceof Refusal ? nonce : await proofs.prove(device, tpm.evidence(nonce));
}

const codeOf = (value: unknown): string => (value instanceof Refusal ? value.code : 'none');

test('a TPM is bound, vouched for, and proves a boot for a day', async (t) => {
  const known = lab(t);
  const tpm = new SoftAttester();
  tpm.events = [...BOOT];
  assert.equal(codeOf(await prove(known, tpm)), 'E_UPDATE_TPM', 'none is bound');
  assert.equal(await bind(known, tpm), undefined);
  assert.equal(known.bootOf(), undefined, 'nobody vouches for it');
  assert.equal(codeOf(await prove(known, tpm)), 'E_UPDATE_TPM');
  const other = known.proofs.accept(PUMP, { ekSha256: sha256('another'), by: 'person:ada' });
  assert.equal(codeOf(other), 'E_OPERATE_CONFLICT');
  known.proofs.accept(PUMP, { ekSha256: tpm.ekSha256, by: 'person:ada' });
  assert.equal(known.bootOf(), 'unproven');
  assert.equal(await prove(known, tpm), undefined);
  assert.equal(known.bootOf(), 'proven');
  assert.equal(known.proofs.of(PUMP)?.proof?.release, 'thermo@2.0.0');

  known.restart();
  assert.equal(known.bootOf(), 'proven', 'a restart of the server changes nothing');
  known.clock.advance(PROOF_MS - PROOF_SWEEP_MS);
  assert.equal(known.bootOf(), 'proven');
  known.clock.advance(PROOF_SWEEP_MS);
  assert.equal(known.bootOf(), 'unproven', 'it has run out');
  assert.equal(await prove(known, tpm), undefined);
  assert.equal(known.bootOf(), 'proven');
  const names = known.events.map(({ name }) => name);
  assert.deepEqual(names, ['boot.tpm-bound', 'boot.proven', 'boot.unproven', 'boot.proven']);

  assert.equal(known.proofs.forget(PUMP), true);
  assert.equal(known.bootOf(), undefined);
  assert.equal(known.proofs.forget(PUMP), false);
});

test('another image, an old answer and another TPM prove nothing', async (t) => {
  const known = lab(t);
  const [tpm, stranger] = [new SoftAttester(), new SoftAttester()];
  tpm.events = [...BOOT];
  stranger.events = [...BOOT];
  await bind(known, tpm);
  known.proofs.accept(PUMP, { ekSha256: tpm.ekSha256, by: 'person:ada' });
  await prove(known, tpm);
  const nonce = known.proofs.challenge(PUMP);
  if (nonce instanceof Refusal) assert.fail(nonce.detail);
  const evidence = tpm.evidence(nonce);
  known.clock.ms += CHALLENGE_MS + 1;
  assert.equal(codeOf(await known.proofs.prove(PUMP, evidence)), 'E_UPDATE_BOOT', 'too late');
  assert.equal(codeOf(await known.proofs.prove(PUMP, evidence)), 'E_UPDATE_BOOT', 'replayed');
  assert.equal(known.bootOf(), 'proven', 'who replays shuts nobody out');

  known.proofs.challenge(PUMP);
  assert.equal(codeOf(await known.proofs.prove(PUMP, evidence)), 'E_UPDATE_BOOT');
  assert.equal(known.bootOf(), 'unproven', 'an old quote in answer to a new challenge');
  assert.match(known.proofs.of(PUMP)?.why ?? '', /^nonce: /u);
  await prove(known, tpm);
  assert.equal(known.bootOf(), 'proven');
  assert.equal(codeOf(await prove(known, stranger)), 'E_UPDATE_BOOT');
  assert.match(known.proofs.of(PUMP)?.why ?? '', /^signature: /u);
  assert.equal(known.bootOf(), 'unproven');
  tpm.events.push(sha256('init=/bin/sh'));
  assert.equal(codeOf(await prove(known, tpm)), 'E_UPDATE_BOOT');
  assert.match(known.proofs.of(PUMP)?.why ?? '', /^measurement: PCR 8, event 3/u);

  assert.equal(codeOf(await bind(known, stranger)), 'E_UPDATE_TPM', 'another than the bound one');
  assert.equal(codeOf(await bind(known, tpm, idOf('pump-2'))), 'E_UPDATE_TPM', 'of another device');
});

test('a credential is opened once, within a minute, by the TPM that it is for', async (t) => {
  const known = lab(t);
  const [tpm, stranger] = [new SoftAttester(), new SoftAttester()];
  // The endorsement key of one, the attestation key of another: a relay.
  const mixed = { ...tpm.shown, ak: stranger.shown.ak };
  const credential = known.proofs.bind(PUMP, mixed);
  if (credential instanceof Refusal) assert.fail(credential.detail);
  assert.equal(tpm.open(credential), undefined);
  assert.equal(stranger.open(credential), undefined);
  const guess = new Uint8Array(32);
  assert.equal(codeOf(await known.proofs.activate(PUMP, guess)), 'E_UPDATE_TPM');
  const right = known.proofs.bind(PUMP, tpm.shown);
  if (right instanceof Refusal) assert.fail(right.detail);
  assert.equal(codeOf(await known.proofs.activate(PUMP, guess)), 'E_UPDATE_TPM');
  const secret = tpm.open(right) ?? assert.fail('not opened');
  assert.equal(codeOf(await known.proofs.activate(PUMP, secret)), 'E_UPDATE_TPM', 'one guess');
  const late = known.proofs.bind(PUMP, tpm.shown);
  if (late instanceof Refusal) assert.fail(late.detail);
  known.clock.ms += CHALLENGE_MS + 1;
  const opened = tpm.open(late) ?? assert.fail('not opened');
  assert.equal(codeOf(await known.proofs.activate(PUMP, opened)), 'E_UPDATE_TPM', 'too late');
  assert.equal(known.proofs.of(PUMP), undefined);
  const garbage = { ek: new Uint8Array(9), ekCertificates: [], ak: tpm.shown.ak };
  assert.equal(codeOf(known.proofs.bind(PUMP, garbage)), 'E_UPDATE_TPM');
});

test('what it ran before counts until the assigned release is confirmed', async (t) => {
  const known = lab(t);
  const tpm = new SoftAttester();
  tpm.events = [sha256('old')];
  await bind(known, tpm);
  known.proofs.accept(PUMP, { ekSha256: tpm.ekSha256, by: 'person:ada' });
  assert.equal(codeOf(await prove(known, tpm)), 'E_UPDATE_BOOT');
  const report = { device: PUMP, sinceMs: 0, reportedMs: 0, running: RELEASES[0].sha256 };
  known.told.set(PUMP, { ...report, release: 'thermo@2.0.0', state: 'downloading' });
  assert.equal(await prove(known, tpm), undefined);
  assert.equal(known.proofs.of(PUMP)?.proof?.release, 'thermo@1.0.0');
  known.told.set(PUMP, { ...report, release: 'thermo@2.0.0', state: 'confirmed' });
  assert.equal(codeOf(await prove(known, tpm)), 'E_UPDATE_BOOT', 'it has gone back');
  known.told.delete(PUMP);
  known.assigned.set(PUMP, releaseOf('3.0.0', undefined));
  assert.match(codeOf(await prove(known, tpm)), /E_UPDATE_BOOT/u);
  assert.match(known.proofs.of(PUMP)?.why ?? '', /no release that it may run says/u);
});

test('two who bind one TPM at once do not both get it, and an act in between is not lost', async (t) => {
  const known = lab(t);
  const tpm = new SoftAttester();
  tpm.events = [...BOOT];
  const other = idOf('pump-2');
  const open = (device: DeviceId): Uint8Array => {
    const credential = known.proofs.bind(device, tpm.shown);
    if (credential instanceof Refusal) return assert.fail(credential.detail);
    return tpm.open(credential) ?? assert.fail('not opened');
  };
  const [one, two] = [open(PUMP), open(other)];
  const letGo = known.holdLog();
  const both = [known.proofs.activate(PUMP, one), known.proofs.activate(other, two)];
  letGo();
  assert.deepEqual((await Promise.all(both)).map(codeOf), ['none', 'E_UPDATE_TPM']);
  assert.equal(known.proofs.of(other), undefined);

  const again = open(PUMP);
  const letGoOn = known.holdLog();
  const activated = known.proofs.activate(PUMP, again);
  known.proofs.accept(PUMP, { ekSha256: tpm.ekSha256, by: 'person:ada' });
  letGoOn();
  assert.equal(await activated, undefined);
  assert.equal(known.proofs.of(PUMP)?.trust, 'operator', 'what the operator did in between counts');
  assert.equal(known.bootOf(), 'unproven');
});

/** A manufacturer, and what it certifies. */
function makerOf(t: TestContext) {
  const openssl = opensslLab(t);
  const ok = ({ isOk, stderr }: { isOk: boolean; stderr: string }) => assert.ok(isOk, stderr);
  ok(
    openssl.openssl(
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout ca.key -out ca.pem ' +
        '-days 30 -subj /CN=acme',
    ),
  );
  const read = (name: string) => new X509Certificate(readFileSync(openssl.path(name)));
  return {
    acme: { name: 'acme', certificates: [read('ca.pem')] },
    certify: (tpm: SoftAttester, extensions: string): Uint8Array => {
      const spki = createPublicKey({ key: Buffer.from(tpm.shown.ek), format: 'der', type: 'spki' });
      openssl.write('ek.pub', spki.export({ format: 'pem', type: 'spki' }));
      openssl.write('extensions', extensions);
      ok(
        openssl.openssl(
          'x509 -new -force_pubkey ek.pub -CA ca.pem -CAkey ca.key -subj /CN=device -days 20000 ' +
            '-extfile extensions -out ek.pem',
        ),
      );
      return new Uint8Array(read('ek.pem').raw);
    },
  };
}

const EK_EXTENSIONS = 'keyUsage=critical,keyEncipherment\nextendedKeyUsage=2.23.133.8.1\n';

test('whoever has taken over a device cannot talk its TPM out of what vouches for it', async (t) => {
  const known = lab(t);
  const tpm = new SoftAttester();
  const { acme, certify } = makerOf(t);
  known.manufacturers.push(acme);
  tpm.ekCertificates = [certify(tpm, EK_EXTENSIONS)];
  // After what openssl made: a certificate that is not valid yet vouches for nothing.
  known.clock.ms = Date.now();
  await bind(known, tpm);
  assert.equal(known.proofs.of(PUMP)?.trust, 'manufacturer');
  assert.equal(known.bootOf(), 'unproven');
  tpm.ekCertificates = [];
  await bind(known, tpm);
  assert.equal(known.proofs.of(PUMP)?.trust, 'manufacturer');
  assert.equal(known.bootOf(), 'unproven', 'it must still prove how it booted');
});

test('a certificate that is for no endorsement key vouches for none', async (t) => {
  const known = lab(t);
  const { acme, certify } = makerOf(t);
  known.manufacturers.push(acme);
  // Such as the IDevID of another device of the same manufacturer: its key is in no TPM.
  const thief = new SoftAttester();
  thief.ekCertificates = [certify(thief, 'keyUsage=critical,digitalSignature\n')];
  // After what openssl made, so that nothing but the purpose of the certificate is wrong.
  known.clock.ms = Date.now();
  assert.equal(await bind(known, thief), undefined);
  assert.equal(known.proofs.of(PUMP)?.trust, 'nobody');
  assert.equal(codeOf(await prove(known, thief)), 'E_UPDATE_TPM');
});

test('an older release, or one of another line, is not what a device may say that it runs', async (t) => {
  const known = lab(t);
  const tpm = new SoftAttester();
  tpm.events = [...BOOT];
  await bind(known, tpm);
  known.proofs.accept(PUMP, { ekSha256: tpm.ekSha256, by: 'person:ada' });
  const report = { device: PUMP, sinceMs: 0, reportedMs: 0, release: 'thermo@2.0.0' } as const;
  const evil = releaseOf('9.0.0', [sha256('old')], { line: 'pumps', counter: 9 });
  known.releases.push(evil);
  known.told.set(PUMP, { ...report, state: 'downloading', running: evil.sha256 });
  tpm.events = [sha256('old')];
  assert.equal(
    codeOf(await prove(known, tpm)),
    'E_UPDATE_BOOT',
    'signed by the keys of another line',
  );

  const old = { ...report, running: RELEASES[0].sha256 };
  tpm.events = [...BOOT];
  known.told.set(PUMP, { ...report, state: 'confirmed', running: RELEASES[1].sha256 });
  assert.equal(await prove(known, tpm), undefined);
  tpm.events = [sha256('old')];
  known.told.set(PUMP, { ...old, state: 'downloading' });
  assert.equal(
    codeOf(await prove(known, tpm)),
    'E_UPDATE_BOOT',
    'its counter is lower than proven',
  );
  known.restart();
  assert.equal(codeOf(await prove(known, tpm)), 'E_UPDATE_BOOT', 'also after a restart');
  tpm.events = [...BOOT];
  assert.equal(await prove(known, tpm), undefined);
});

test('the log is told once that a boot proves nothing, however often it is tried', async (t) => {
  const known = lab(t);
  const tpm = new SoftAttester();
  await bind(known, tpm);
  known.proofs.accept(PUMP, { ekSha256: tpm.ekSha256, by: 'person:ada' });
  for (let round = 0; round < 5; round += 1) {
    tpm.events = [sha256(String(round))];
    assert.equal(codeOf(await prove(known, tpm)), 'E_UPDATE_BOOT');
  }
  const failed = known.events.filter(({ name }) => name === 'boot.unproven');
  assert.equal(failed.length, 1);
});
