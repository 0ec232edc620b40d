/** The certificate authority as people see it, and what still depends on it. @module */
import type { AuthorityStatus } from '@holdfast/protocol/api';
import { type IssuingAuthority, certificatePin, wasIssuedBy } from '../pki/index.ts';
import type { CertificateRecord, OwnerApp } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';

type ViewDeps = Pick<ApiDeps, 'authority' | 'registry' | 'owners' | 'clock'>;

/** All generations, and the step that comes next. */
export function authorityView(deps: ViewDeps): AuthorityStatus {
  const { authority } = deps;
  const numbers = [...new Set(authority.issuers.map(({ generation }) => generation))];
  const generations = numbers.sort((a, b) => a - b).map((number) => generationView(number, deps));
  const { fingerprint, notAfterMs, isKeyHere } = authority.root;
  return {
    root: { fingerprint, notAfter: new Date(notAfterMs).toISOString(), isKeyHere },
    custody: authority.custody,
    generations,
    next: nextStep(generations.map(({ state }) => state)),
  };
}

/**
 * The certificates that a generation issued and that still count: not ended, not expired, of a
 * device that may come back without a new claim.
 */
export function certificatesInUse(
  generation: number,
  { authority, registry, clock }: ViewDeps,
): CertificateRecord[] {
  const issuer = issuerOf(authority.issuers, { generation, role: 'devices' });
  const nowMs = clock.nowMs();
  return [...registry.certificates()].filter((certificate) => {
    const { status, notAfterMs, deviceId, issuerKeyId } = certificate;
    if (!wasIssuedBy(issuer, issuerKeyId)) return false;
    if (status === 'superseded' || status === 'revoked' || notAfterMs < nowMs) return false;
    const state = registry.byId(deviceId)?.state;
    return state !== undefined && state !== 'revoked' && state !== 'retired';
  });
}

/** The apps with a certificate that a generation issued and that still counts. */
export function appsInUse(
  generation: number,
  { authority, owners, clock }: ViewDeps,
): { readonly app: OwnerApp; readonly notAfterMs: number }[] {
  const issuer = issuerOf(authority.issuers, { generation, role: 'apps' });
  return [...owners.apps()].flatMap((app) => {
    const ends = [app.certificate, ...(app.pending === undefined ? [] : [app.pending])]
      .filter(({ issuerKeyId }) => wasIssuedBy(issuer, issuerKeyId))
      .map(({ notAfterMs }) => notAfterMs);
    const notAfterMs = Math.max(...ends);
    return notAfterMs < clock.nowMs() ? [] : [{ app, notAfterMs }];
  });
}

function generationView(number: number, deps: ViewDeps): AuthorityStatus['generations'][number] {
  const { issuers } = deps.authority;
  const view = (role: IssuingAuthority['role']) => {
    const { certificate, keyId } = issuerOf(issuers, { generation: number, role });
    const notAfter = certificate.validToDate.toISOString();
    return { fingerprint: certificatePin(certificate.raw), keyId, notAfter };
  };
  return {
    number,
    state: issuerOf(issuers, { generation: number, role: 'devices' }).state,
    madeAt: new Date(deps.authority.madeAtMs(number)).toISOString(),
    devices: view('devices'),
    servers: view('servers'),
    apps: view('apps'),
    inUse: useView(certificatesInUse(number, deps), appsInUse(number, deps)),
  };
}

function useView(
  inUse: readonly CertificateRecord[],
  apps: ReturnType<typeof appsInUse>,
): AuthorityStatus['generations'][number]['inUse'] {
  const devices = [...new Set(inUse.map(({ deviceId }) => deviceId))].sort();
  const all = [...inUse, ...apps];
  const shown = devices.slice(0, SHOWN_DEVICES_MAX);
  const view = { certificates: all.length, devices: shown, apps: apps.length };
  if (all.length === 0) return view;
  const lastMs = all.reduce((last, { notAfterMs }) => Math.max(last, notAfterMs), 0);
  return { ...view, lastEndsAt: new Date(lastMs).toISOString() };
}

function issuerOf(
  issuers: readonly IssuingAuthority[],
  { generation, role }: Pick<IssuingAuthority, 'generation' | 'role'>,
): IssuingAuthority {
  const found = issuers.find((one) => one.generation === generation && one.role === role);
  if (found === undefined) throw new Error(`there is no generation ${generation}`);
  return found;
}

function nextStep(states: readonly IssuingAuthority['state'][]): AuthorityStatus['next'] {
  if (states.includes('next')) return 'switch';
  return states.includes('trusted') ? 'finish' : 'prepare';
}

const SHOWN_DEVICES_MAX = 10;
