/** Makes generations of issuing authorities, and moves them through their life. @module */
import { X509Certificate } from 'node:crypto';
import { type Refusal, type TenantName, refuse } from '@holdfast/protocol';
import { type KeyCustody, type KeyHandle, type MadeKey, softwareCustody } from '../crypto/index.ts';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import {
  type AuthorityMaterial,
  type AuthorityV1Material,
  type Generation,
  type GenerationState,
  type IssuingRole,
  type Member,
} from './authority-material.ts';
import { type IssuedCertificate, signCertificate, spkiOf, subjectOf } from './certificate.ts';
import { type GenerationName, ISSUING_PROFILES, rootProfile } from './profiles.ts';

/** Time and randomness for issuing. */
export interface IssuingDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** What a new authority needs besides; keys are made in software unless told otherwise. */
export interface AuthorityDeps extends IssuingDeps {
  readonly tenant: TenantName;
  readonly custody?: KeyCustody | undefined;
}

/** One value for each issuing authority of a generation. */
export type ByRole<T> = Readonly<Record<IssuingRole, T>>;

/** The root that signs a generation: its certificate in DER, and its key. */
export interface SigningRoot {
  readonly certificateDer: Uint8Array;
  readonly key: KeyHandle;
}

/** Makes a new authority: a root, and a first generation that issues. */
export function createAuthority(deps: AuthorityDeps): AuthorityMaterial {
  const { clock, random, tenant } = deps;
  // The root is made in software in any case: it is to be exported and kept offline.
  const { key, saved } = softwareCustody.make('root');
  const template = rootProfile({ spki: spkiOf(key), nowMs: clock.nowMs() }, { tenant });
  const { der } = signCertificate(template, { issuer: { name: template.subject, key }, random });
  const root = { certificate: base64(der), key: saved };
  const keys = makeKeys(1, deps.custody);
  const certificates = signGeneration(spkisOf(keys), {
    ...deps,
    root: { certificateDer: der, key },
    generation: 1,
  });
  const first = generationOf({ number: 1, keys, certificates, madeAtMs: clock.nowMs() });
  return { version: 2, root, generations: [{ ...first, state: 'issuing' }] };
}

/** Takes up what any version kept. An authority for apps is made where there was none. */
export function upgradeAuthority(
  stored: AuthorityMaterial | AuthorityV1Material,
  deps: AuthorityDeps,
): AuthorityMaterial {
  if (stored.version === 2) return stored;
  const member = ({ certificate, key }: AuthorityV1Material['root']): Member => ({
    certificate,
    key: { kind: 'sealed', pkcs8: key },
  });
  const root = member(stored.root);
  const rootKey = softwareCustody.open({ kind: 'sealed', pkcs8: stored.root.key });
  const apps = softwareCustody.make('apps 1');
  const { der } = signMember('apps', spkiOf(apps.key), {
    ...deps,
    root: { certificateDer: derOf(root), key: rootKey },
    generation: 1,
  });
  const devices = member(stored.devices);
  const generation: Generation = {
    number: 1,
    state: 'issuing',
    madeAtMs: new X509Certificate(derOf(devices)).validFromDate.getTime(),
    devices,
    servers: member(stored.servers),
    apps: { certificate: base64(der), key: apps.saved },
  };
  return { version: 2, root, generations: [generation] };
}

/** Makes the keys of a generation where the custody keeps them. */
export function makeKeys(
  generation: number,
  custody: KeyCustody = softwareCustody,
): ByRole<MadeKey> {
  return byRole((role) => custody.make(`${role} ${generation}`));
}

/** The public keys of a generation, SubjectPublicKeyInfo in DER. */
export function spkisOf(keys: ByRole<MadeKey>): ByRole<Uint8Array> {
  return byRole((role) => spkiOf(keys[role].key));
}

/** Signs the certificates of a generation: what they say is fixed, only the keys are given. */
export function signGeneration(
  spkis: ByRole<Uint8Array>,
  signing: IssuingDeps & GenerationName & { readonly root: SigningRoot },
): ByRole<Uint8Array> {
  return byRole((role) => signMember(role, spkis[role], signing).der);
}

/** The generation that is published and issues nothing yet. */
export function nextGeneration(
  { generations }: AuthorityMaterial,
  made: {
    readonly keys: ByRole<MadeKey>;
    readonly certificates: ByRole<Uint8Array>;
    readonly madeAtMs: number;
  },
): Generation {
  return generationOf({ ...made, number: nextNumber(generations) });
}

/** Number of the generation that comes after all that exist. */
export function nextNumber(generations: readonly Generation[]): number {
  return Math.max(...generations.map(({ number }) => number)) + 1;
}

/** The material with one generation more. Refuses `E_OPERATE_CONFLICT` in mid-rotation. */
export function withNext(
  material: AuthorityMaterial,
  next: Generation,
): AuthorityMaterial | Refusal {
  const refusal = whyNotPrepare(material);
  return refusal ?? { ...material, generations: [...material.generations, next] };
}

/** Why no generation can be made now; undefined when one can. */
export function whyNotPrepare({ generations }: AuthorityMaterial): Refusal | undefined {
  const open = generations.find(({ state }) => state === 'next' || state === 'trusted');
  if (open === undefined) return undefined;
  const detail = `generation ${open.number} is ${open.state}; a rotation is ended before the next`;
  return refuse('E_OPERATE_CONFLICT', detail);
}

/** The next generation issues from now on. Refuses `E_OPERATE_CONFLICT` when there is none. */
export function switched(material: AuthorityMaterial): AuthorityMaterial | Refusal {
  if (!material.generations.some(({ state }) => state === 'next')) {
    return refuse('E_OPERATE_CONFLICT', 'there is no next generation; prepare one first');
  }
  return moved(material, { next: 'issuing', issuing: 'trusted' });
}

/**
 * The generation that issues no more counts no more, and what is known of its keys is left out.
 * Refuses `E_OPERATE_CONFLICT` when there is none.
 */
export function finished(material: AuthorityMaterial): AuthorityMaterial | Refusal {
  if (!material.generations.some(({ state }) => state === 'trusted')) {
    return refuse('E_OPERATE_CONFLICT', 'no earlier generation is trusted; nothing is to be ended');
  }
  const { generations, ...rest } = moved(material, { trusted: 'ended' });
  return { ...rest, generations: generations.map(withoutEndedKeys) };
}

/** The material without the root's key, for a root that is offline. */
export function withoutRootKey(material: AuthorityMaterial): AuthorityMaterial {
  return { ...material, root: { certificate: material.root.certificate } };
}

/** One value for each role. */
export function byRole<T>(make: (role: IssuingRole) => T): ByRole<T> {
  return { devices: make('devices'), servers: make('servers'), apps: make('apps') };
}

/** The certificate of a member in DER. */
export function derOf({ certificate }: Member): Buffer {
  return Buffer.from(certificate, 'base64');
}

function signMember(
  role: IssuingRole,
  spki: Uint8Array,
  {
    clock,
    random,
    root: { certificateDer, key },
    ...name
  }: IssuingDeps & GenerationName & { readonly root: SigningRoot },
): IssuedCertificate {
  const template = ISSUING_PROFILES[role]({ spki, nowMs: clock.nowMs() }, name);
  const rootEndMs = new X509Certificate(certificateDer).validToDate.getTime();
  const notAfterMs = Math.min(template.notAfterMs, rootEndMs);
  const issuer = { name: subjectOf(certificateDer), key };
  return signCertificate({ ...template, notAfterMs }, { issuer, random });
}

function generationOf({
  number,
  keys,
  certificates,
  madeAtMs,
}: {
  readonly number: number;
  readonly keys: ByRole<MadeKey>;
  readonly certificates: ByRole<Uint8Array>;
  readonly madeAtMs: number;
}): Generation {
  const members = byRole((role) => ({
    certificate: base64(certificates[role]),
    key: keys[role].saved,
  }));
  return { number, state: 'next', madeAtMs, ...members };
}

function moved(
  material: AuthorityMaterial,
  after: Partial<Record<GenerationState, GenerationState>>,
): AuthorityMaterial {
  const generations = material.generations.map((generation) => ({
    ...generation,
    state: after[generation.state] ?? generation.state,
  }));
  return { ...material, generations };
}

function withoutEndedKeys(generation: Generation): Generation {
  if (generation.state !== 'ended') return generation;
  const members = byRole((role) => ({ certificate: generation[role].certificate }));
  return { ...generation, ...members };
}

function base64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64');
}
