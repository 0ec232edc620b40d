/** A registry with real certificates and a gate, for the tests of the flow. @module */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Refusal, parseDeviceId, parseTenantName } from '@holdfast/protocol';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { TestClock } from '../kernel/clock.testing.ts';
import { type Clock, Secret, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import {
  type Authority,
  checkClientCertificate,
  createAuthority,
  openAuthority,
} from '../pki/index.ts';
import { type Device, DeviceRegistry, PayloadKeySource } from '../registry/index.ts';
import { type AdmittedPeer, Gate } from './gate.ts';

export { TestClock };

/** The parts that decide who a peer is. */
export interface Lab {
  readonly clock: TestClock;
  readonly store: SealedStore;
  readonly registry: DeviceRegistry;
  readonly payloadKeys: PayloadKeySource;
  readonly authority: Authority;
  readonly gate: Gate;
  /** Adds a device and issues its certificate, as an enrollment does. */
  readonly enroll: (id: string) => { device: Device; certificate: X509Certificate };
  readonly admit: (certificate: X509Certificate) => AdmittedPeer;
}

const tenant = parsed(parseTenantName('default'));

export function openLab(t: TestContext): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lab-'));
  const clock = new TestClock();
  const unsealKey = new Secret(systemRandom(32));
  const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom });
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const deps = { clock, random: systemRandom };
  const registry = new DeviceRegistry(store, { clock });
  const authority = openAuthority(createAuthority({ ...deps, tenant }), deps);
  const check = (peer: X509Certificate): ReturnType<typeof checkClientCertificate> =>
    checkClientCertificate(peer, { authority, tenant, nowMs: clock.nowMs() });
  const gate = new Gate({ registry, check });
  return {
    clock,
    store,
    registry,
    authority,
    gate,
    payloadKeys: new PayloadKeySource(store.keyring, { tenant }),
    enroll: (id) => enroll(id, { registry, authority, clock }),
    admit: (certificate) =>
      parsed(gate.admit({ certificate, chainProblem: undefined, address: '::1' })),
  };
}

function enroll(
  id: string,
  { registry, authority, clock }: { registry: DeviceRegistry; authority: Authority; clock: Clock },
): { device: Device; certificate: X509Certificate } {
  const device = registry.byId(id) ?? parsed(registry.add({ id, class: 'sensor' }));
  const { publicKey } = softwareKeyHandle('ES256', generatePrivateKey('ES256'));
  const issued = authority.issueDevice({
    spki: publicKey.export({ format: 'der', type: 'spki' }),
    tenant,
    deviceId: parsed(parseDeviceId(id)),
    lifeMs: 86_400_000,
  });
  const { fingerprint, serial, notBeforeMs, notAfterMs } = issued;
  const enrolled = registry.completeEnrollment(device, {
    certificate: { fingerprint, serial, deviceId: id, notBeforeMs, notAfterMs, status: 'current' },
    claim: { deviceId: id, secretHash: '', expiresAtMs: clock.nowMs() },
  });
  return { device: enrolled, certificate: new X509Certificate(issued.der) };
}

/** The value, which must not be a refusal. */
export function parsed<T>(value: T | Refusal): T {
  if (value instanceof Refusal) throw new Error(`${value.code}: ${value.detail}`);
  return value;
}

/** The code of what must be a refusal. */
export function codeOf(value: unknown): string {
  if (value instanceof Refusal) return value.code;
  throw new Error('this should have been refused');
}
