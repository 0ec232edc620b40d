/** What the API shows of owners, their apps and their codes. @module */
import type { OwnedApp, OwnedDevice, PairCode, PairedApp } from '@holdfast/protocol/api';
import type { PairedApp as Paired, PreparedPairCode } from '../enroll/index.ts';
import type { Device, OwnerApp, Pairing } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { isoTime } from './views.ts';

export function pairCodeView({ of, code, text, expiresAtMs }: PreparedPairCode): PairCode {
  const shown = { of, code: code.expose(), text };
  return expiresAtMs === undefined ? shown : { ...shown, expiresAt: isoTime(expiresAtMs) };
}

export function pairedAppView(
  { app, certificatePem, notAfterMs }: Paired,
  { owners, server, authority }: Pick<ApiDeps, 'owners' | 'server' | 'authority'>,
): PairedApp {
  const { pins, broker } = server();
  return {
    app: app.id,
    owner: app.ownerId,
    devices: owners.pairingsOf(app.ownerId).map(({ deviceId }) => deviceId),
    certificate: { pem: certificatePem, notAfter: isoTime(notAfterMs) },
    anchor: authority.authority.anchorPem,
    pins: { certificate: pins.certificate, spki: pins.spki },
    broker,
  };
}

export function ownedDeviceView(
  { id, class: className, state }: Device,
  { sinceMs }: Pick<Pairing, 'sinceMs'>,
  { sessions, lastSeen, clock }: Pick<ApiDeps, 'sessions' | 'lastSeen' | 'clock'>,
): OwnedDevice {
  const online = sessions.isConnected(id);
  const seenMs = online ? clock.nowMs() : (lastSeen.of(id) ?? 0);
  return {
    id,
    class: className,
    state,
    since: isoTime(sinceMs),
    online,
    // When somebody else had it is not this owner's business.
    ...(seenMs >= sinceMs && { lastSeen: isoTime(seenMs) }),
  };
}

export function ownedAppView(
  { id, createdAtMs, lastSeenAtMs, certificate }: OwnerApp,
  self: OwnerApp,
): OwnedApp {
  return {
    id,
    createdAt: isoTime(createdAtMs),
    lastSeenAt: isoTime(lastSeenAtMs),
    notAfter: isoTime(certificate.notAfterMs),
    isThis: id === self.id,
  };
}
