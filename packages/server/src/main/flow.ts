/** The stages of the message path, joined. @module */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import { Permissions } from '../authorize/index.ts';
import { MessageJournal } from '../journal/index.ts';
import { checkAppCertificate, checkClientCertificate, wasIssuedBy } from '../pki/index.ts';
import { DEVICE_CLASSES, type DeviceRegistry, appOfPrincipal } from '../registry/index.ts';
import { Router } from '../route/index.ts';
import {
  type AdmittedPeer,
  ApiKeyCheck,
  AppGate,
  AppSessions,
  type ExaminedPeer,
  Gate,
  type OnFirstUse,
  Presence,
  type QuarantinedPeer,
  type RateLimits,
  SCRAM_METHOD,
  SERVICE_LIMITS,
  SESSION_LIMITS,
  ScramAuthenticator,
  SessionTable,
  randomNonce,
} from '../session/index.ts';
import { peerAddress } from '../wire/index.ts';
import type { Context } from './context.ts';
import { keepSeen } from './keep-seen.ts';
import { MessagePath } from './message-path.ts';
import type { Metrics } from './metrics.ts';
import { recoverBroker } from './recover-broker.ts';
import { TENANT } from './server-identity.ts';
import type { Audit, Registries, Storage } from './storage.ts';
import { storedCounters } from './stored-counters.ts';
import { publishSystemTopics, systemFigures, updateAnnouncer } from './system-topics.ts';

/** The way of all messages, and who is on it. */
export interface Flow {
  readonly messagePath: MessagePath;
  readonly sessions: SessionTable;
  /** Tells when a device has connected or left. */
  readonly presence: Presence;
  readonly gate: Gate;
  /** The sessions of owners' pages. */
  readonly appSessions: AppSessions;
  /** The API keys of devices as a second factor. */
  readonly apiKeyCheck: ApiKeyCheck;
  /** Decides who a TLS connection is. */
  readonly identify: (socket: TLSSocket) => AdmittedPeer | Refusal;
  /** Knows a device in quarantine, which is admitted to its updates alone. */
  readonly quarantined: (socket: TLSSocket) => QuarantinedPeer | Refusal;
  /** Tells whose certificate a TLS connection shows, also of one that is not admitted any more. */
  readonly examine: (socket: TLSSocket) => ExaminedPeer | Refusal;
  /** Tells a device at once that there is news of its update, if it is connected. */
  readonly announceUpdate: (deviceId: string, revision: string) => void;
  /** Takes a new connection of the broker, or refuses it without a word: gives false then. */
  readonly admit: (socket: TLSSocket) => boolean;
}

/**
 * Joins gate, sessions, authorization, verification, journal and routing, and takes up the
 * sessions and retained messages that were there before a restart.
 */
export async function openFlow(
  { clock, log, random, onUndo }: Context,
  parts: Storage & Registries & Audit & { readonly metrics: Metrics },
): Promise<Flow> {
  const { store, identity, registry, payloadKeys, journal, refusals, recordAct, metrics } = parts;
  const { keyring } = store;
  const { report } = refusals;
  const check = (
    certificate: X509Certificate,
    atMs = clock.nowMs(),
  ): ReturnType<typeof checkClientCertificate> =>
    checkClientCertificate(certificate, {
      authority: identity.authority,
      tenant: TENANT,
      nowMs: atMs,
    });
  const { authority } = identity;
  const apps = new AppGate({
    owners: parts.owners,
    check: (certificate) =>
      checkAppCertificate(certificate, { authority, tenant: TENANT, nowMs: clock.nowMs() }),
    hasIssuerEnded: (keyId) =>
      authority.issuers.some(
        (issuer) =>
          issuer.role === 'apps' && issuer.state === 'ended' && wasIssuedBy(issuer, keyId),
      ),
  });
  const apiKeyCheck = new ApiKeyCheck(parts);
  const gate = new Gate({
    registry,
    check,
    apps,
    onFirstUse: recordFirstUse({ recordAct, log }),
    secondFactor: apiKeyCheck,
  });
  const appSessions = new AppSessions({ clock, random, gate, owners: parts.owners });
  const messages = new MessageJournal(journal, { keyring });
  const router = new Router({ clock, store: messages });
  const permissions = new Permissions({
    authorizer: parts.policies.authorizer,
    registry,
    roleOf: (principal) => parts.people.roleOf(principal),
    ownerOf: (deviceId) => parts.owners.ownerOf(deviceId),
    ownerOfApp: (principal) => parts.owners.app(appOfPrincipal(principal) ?? '')?.ownerId,
  });
  const messagePath = new MessagePath({
    clock,
    log,
    report,
    recordAct,
    registry,
    permissions,
    payloadKeys,
    journal: messages,
    disk: parts.disk,
    router,
    storedCounters: (deviceId, kid) =>
      storedCounters({ journal, registry, keyring }, deviceId, kid),
    lateMaxMs: latenessOf(parts, clock),
    countAccepted: metrics.countAccepted,
  });
  const scram = new ScramAuthenticator({ ...parts, nonce: randomNonce(random) });
  const presence = new Presence();
  const sessions = new SessionTable({
    clock,
    registry,
    gate,
    report,
    openHandler: messagePath.open,
    store: messages,
    subscriptions: router,
    maySubscribe: (deviceId, filter) => {
      const kind = appOfPrincipal(deviceId) === undefined ? 'device' : 'app';
      const principal = permissions.principalOf({ kind, principal: deviceId, scope: undefined });
      return principal !== undefined && permissions.maySubscribe(principal, filter);
    },
    authenticators: new Map([[SCRAM_METHOD, scram]]),
    secondFactor: apiKeyCheck,
    onPolicyChange: (listener) => parts.policies.authorizer.onChange(listener),
    ratesOf: (peer) => ratesOf(registry, peer),
    onPresence: ({ kind, principal }, isConnected) => {
      if (kind !== 'device') return;
      parts.lastSeen.note(principal);
      registry.columns.noteOnline(principal, isConnected);
      presence.note(principal);
    },
    limitsOf: (principal) =>
      registry.byId(principal)?.class === 'service' ? SERVICE_LIMITS : SESSION_LIMITS,
    onDrop: metrics.countDrop,
  });
  parts.owners.onChange(({ lost, renewed }) => {
    for (const principal of lost) sessions.endApp(principal);
    if (renewed !== undefined) sessions.endRenewedApp(renewed);
  });
  onUndo(() => sessions.close());
  onUndo(keepSeen(sessions, { ...parts, clock }));
  await recoverBroker({ journal: messages, router, sessions });
  journal.onPressure((isPressed) => sessions.setPressed(isPressed));
  const { disk } = parts;
  disk.onChange(() => sessions.setFull(!disk.hasRoom));
  sessions.setFull(!disk.hasRoom);
  metrics.watch({
    connections: () => sessions.count,
    sessions: () => sessions.sessionCount,
    queued: () => sessions.queuedCount,
    retained: () => router.retainedCount,
    subscriptions: () => router.subscriptionCount,
    pendingBytes: () => journal.pendingBytes,
    devices: () => registry.all().length,
  });
  onUndo(publishSystemTopics(router, { clock, read: () => systemFigures(sessions, metrics) }));
  const { witnesses } = parts;
  metrics.watchWitnesses({ logSize: () => journal.size, witnesses: () => witnesses.all() });
  const identify = (socket: TLSSocket): AdmittedPeer | Refusal => gate.admit(tlsPeer(socket));
  return {
    messagePath,
    sessions,
    presence,
    gate,
    appSessions,
    apiKeyCheck,
    identify,
    announceUpdate: updateAnnouncer(router, clock),
    quarantined: (socket) => gate.quarantined(tlsPeer(socket)),
    examine: (socket) => gate.examine(tlsPeer(socket)),
    admit: (socket) => {
      const peer = identify(socket);
      if (!(peer instanceof Refusal)) {
        sessions.add(peer, socket);
        return true;
      }
      const claimed = socket.getPeerX509Certificate()?.subject;
      report({ refusal: peer, address: peerAddress(socket), claimed });
      socket.on('error', () => {});
      socket.destroy();
      return false;
    },
  };
}

/** The peer is in by then, and does not wait for the log. */
function recordFirstUse({
  recordAct,
  log,
}: {
  recordAct: Audit['recordAct'];
  log: Context['log'];
}): OnFirstUse {
  return ({ principal, fingerprint }) => {
    const action = 'device.use-certificate';
    const facts = { certificate: fingerprint };
    recordAct({ action, principal, target: principal, facts }).catch((error: unknown) => {
      const event = { 'event.action': action, 'event.outcome': 'failure' };
      log.error(
        { ...event, 'error.message': String(error), 'device.id': principal },
        'not recorded',
      );
    });
  };
}

/** What a peer may send: the rates of its class; a person's are those of a thing. */
/** How late a device may be: as its class may, but not from before what it had sent was erased. */
function latenessOf(
  { registry, classSettings }: Pick<Registries, 'registry' | 'classSettings'>,
  clock: Context['clock'],
): (deviceId: string) => number {
  return (deviceId) => {
    const device = registry.byId(deviceId);
    if (device === undefined) return 0;
    const sinceErasedMs = clock.nowMs() - (device.erasedAtMs ?? 0);
    return Math.min(classSettings.of(device.class).lateHours * HOUR_MS, sinceErasedMs);
  };
}

function ratesOf(registry: DeviceRegistry, peer: AdmittedPeer): RateLimits {
  return DEVICE_CLASSES[registry.byId(peer.principal)?.class ?? 'sensor'];
}

/** OpenSSL judges the chain in a full handshake only; a resumed session keeps the old judgement. */
function tlsPeer(socket: TLSSocket): Parameters<Gate['admit']>[0] {
  const isJudged = !socket.isSessionReused() && !socket.authorized;
  return {
    certificate: socket.getPeerX509Certificate(),
    chainProblem: isJudged ? String(socket.authorizationError) : undefined,
    address: peerAddress(socket),
  };
}

const HOUR_MS = 3_600_000;
