/** What the API shows of what the server holds. @module */
import { REFUSAL_CODES, causeOf } from '@holdfast/protocol';
import {
  type ActView,
  type CertificateView,
  type ClaimView,
  type DeviceView,
  type Me,
  type ReadingView,
  type RefusalView,
  type ServerInfo,
  type TokenScopeView,
  type TokenView,
} from '@holdfast/protocol/api';
import type { Witness } from '../audit/index.ts';
import type { IssuedClaim } from '../enroll/index.ts';
import type { ApiToken, Caller, CertificateRecord, Device, TokenScope } from '../registry/index.ts';
import type { ActRecord, Reading, RefusalRecord } from '../telemetry/index.ts';
import type { ServerStatus } from './deps.ts';

/** Milliseconds since 1970 as ISO 8601 in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function serverView(
  status: ServerStatus,
  witnesses: readonly Witness[],
  { backups, keys }: Pick<ServerInfo, 'backups' | 'keys'>,
): ServerInfo {
  const { version, broker, api, enroll, pins, verifierKey, startedAtMs, disk } = status;
  const startedAt = isoTime(startedAtMs);
  const info = { version, broker, api, enroll, pins, verifierKey, startedAt, disk, backups, keys };
  return witnesses.length === 0 ? info : { ...info, witnessed: witnessedView(witnesses) };
}

function witnessedView(witnesses: readonly Witness[]): NonNullable<ServerInfo['witnessed']> {
  const [latest] = witnesses
    .flatMap((witness) => (witness.latest === undefined ? [] : [witness.latest]))
    .toSorted((a, b) => b.size - a.size || b.atMs - a.atMs);
  const isBehind = witnesses.some(({ alarm }) => alarm !== undefined);
  if (latest === undefined) return { isBehind };
  return { latest: { size: latest.size, at: isoTime(latest.atMs) }, isBehind };
}

export function deviceView(device: Device): DeviceView {
  const { id, class: className, group, state, stateReason, stateBy, stateAtMs } = device;
  const { hardware } = device;
  return {
    id,
    class: className,
    group,
    ...(hardware !== undefined && { hardware }),
    state,
    stateReason,
    stateBy,
    ...(stateAtMs > 0 && { stateAt: isoTime(stateAtMs) }),
    createdAt: isoTime(device.createdAtMs),
    ...(device.tags !== undefined && { tags: [...device.tags] }),
  };
}

export function certificateView(certificate: CertificateRecord): CertificateView {
  const { fingerprint, serial, notBeforeMs, notAfterMs, status } = certificate;
  return {
    fingerprint,
    serial,
    status,
    notBefore: isoTime(notBeforeMs),
    notAfter: isoTime(notAfterMs),
  };
}

export function claimView({ text, secret, expiresAtMs }: IssuedClaim): ClaimView {
  return { text: text.expose(), secret: secret.expose(), expiresAt: isoTime(expiresAtMs) };
}

/** @param may - what a page is to offer; left out where it is not asked for. */
export function meView(caller: Caller, may?: readonly string[]): Me {
  const { principal, role, credential, expiresAtMs, steppedUpAtMs, needsSecondFactor, scope } =
    caller;
  return {
    principal,
    role,
    credential,
    ...(expiresAtMs === undefined ? {} : { expiresAt: isoTime(expiresAtMs) }),
    ...(steppedUpAtMs === undefined ? {} : { steppedUpAt: isoTime(steppedUpAtMs) }),
    ...(needsSecondFactor === undefined ? {} : { needsSecondFactor }),
    ...(may === undefined ? {} : { may: [...may] }),
    ...(scope !== undefined && { scope: scopeView(scope) }),
  };
}

export function tokenView(token: ApiToken): TokenView {
  const { id, label, principal, createdAtMs, expiresAtMs, scope } = token;
  return {
    id,
    label,
    principal,
    createdAt: isoTime(createdAtMs),
    expiresAt: isoTime(expiresAtMs),
    ...(scope !== undefined && { scope: scopeView(scope) }),
  };
}

/** What a token is good for, as the list, `GET /v1/me` and the audit log say it. */
export function scopeView({ actions, group }: TokenScope): TokenScopeView {
  return {
    ...(actions !== undefined && { actions: [...actions] }),
    ...(group !== undefined && { group }),
  };
}

export function readingView(reading: Reading): ReadingView {
  const { index, atMs, deviceId, topic, kid, payload } = reading;
  return { index, at: isoTime(atMs), device: deviceId, topic, kid, payload };
}

export function refusalView({ atMs, ...refusal }: RefusalRecord): RefusalView {
  const couldMean = causeOf(refusal.code);
  const meaning = { ...REFUSAL_CODES[refusal.code], ...(couldMean && { couldMean }) };
  return { ...refusal, at: isoTime(atMs), ...meaning };
}

export function actView({ atMs, ...act }: ActRecord): ActView {
  return { ...act, at: isoTime(atMs) };
}
