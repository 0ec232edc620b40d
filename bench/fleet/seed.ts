/**
 * Makes a fleet and the data folder of a Holdfast that knows it, past the HTTP API: one transaction
 * for all, as if each device had been enrolled and in service before. A process of its own, so that
 * the folder is closed when a server opens it.
 *
 *     node bench/fleet/seed.ts '{"folder": "/tmp/x", "devices": 200, "services": 1}'
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal, parseDeviceId } from '@holdfast/protocol';
import { openContext } from '../../packages/server/src/main/context.ts';
import { TENANT } from '../../packages/server/src/main/server-identity.ts';
import { openRegistries, openStorage } from '../../packages/server/src/main/storage.ts';
import { certificatePem } from '../../packages/server/src/pki/index.ts';
import { CertificateSchema, DeviceSchema } from '../../packages/server/src/registry/index.ts';
import type { Fleet, FleetSize, Member } from './fleet.ts';

/**
 * Devices of a benchmark send hundreds of messages a second, which is more than the class `sensor`
 * may: `gateway` has the limits of a site full of devices.
 */
const CLASS_OF = { bench: 'gateway', service: 'service' } as const;

/** Certificates outlive any run. */
const LIFE_MS = 7 * 86_400_000;

const {
  folder,
  devices,
  services,
  isMixed = false,
} = JSON.parse(process.argv[2] ?? '') as FleetSize & { folder: string };
mkdirSync(folder, { recursive: true });
const context = openContext(
  { dataDir: join(folder, 'data'), hosts: [], ports: { broker: 0, api: 0, enroll: 0 } },
  () => {},
);
const storage = await openStorage(context);
const { payloadKeys } = openRegistries(context, storage);
const { store, identity } = storage;
const { authority } = identity;
const deviceRecords = store.collection('device', DeviceSchema);
const certificateRecords = store.collection('certificate', CertificateSchema);

const fleet = store.transaction((): Fleet => ({
  anchorPem: authority.anchorPem,
  clientAnchorsPem: authority.trustAnchorsPem,
  server: serverIdentity(),
  devices: Array.from({ length: devices }, (_, at) => addMember('bench', at)),
  services: Array.from({ length: services }, (_, at) => addMember('service', at)),
}));
store.close();
writeFileSync(join(folder, 'fleet.json'), JSON.stringify(fleet), { mode: 0o600 });

function addMember(kind: 'bench' | 'service', at: number): Member {
  const id = `${kind}-${String(at).padStart(5, '0')}`;
  const nowMs = context.clock.nowMs();
  const device = DeviceSchema.parse({
    id,
    ...(isMixed ? mixed(at) : { class: CLASS_OF[kind] }),
    state: 'active',
    stateReason: 'seeded',
    createdAtMs: nowMs,
    contentKeyRef: store.keyring.create('device').ref,
    formerContentKeyRefs: [],
    payloadKeyGeneration: 1,
    isPayloadKeyInUse: true,
  });
  deviceRecords.write(id, device);
  const { spki, keyPem } = newKey();
  const deviceId = parseDeviceId(id);
  if (deviceId instanceof Refusal) throw new Error(deviceId.detail);
  const issued = authority.issueDevice({ spki, tenant: TENANT, deviceId, lifeMs: LIFE_MS });
  const { der, ...facts } = issued;
  certificateRecords.write(facts.fingerprint, { ...facts, deviceId: id, status: 'current' });
  const { kid, payloadKey } = payloadKeys.of(device);
  return {
    id,
    certificatePem: certificatePem(der) + authority.devicesCaPem,
    keyPem,
    kid,
    payloadKeyHex: Buffer.from(payloadKey.expose()).toString('hex'),
  };
}

function mixed(at: number): { class: string; group: string } {
  const site = at % 4;
  return { class: site === 1 ? 'actuator' : 'sensor', group: `site-${site}` };
}

function serverIdentity(): Fleet['server'] {
  const { spki, keyPem } = newKey();
  const { der } = authority.issueServer({ spki, names: ['localhost', '127.0.0.1'] });
  return { certificatePem: certificatePem(der) + authority.serversCaPem, keyPem };
}

function newKey(): { spki: Uint8Array; keyPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    spki: publicKey.export({ format: 'der', type: 'spki' }),
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
}
