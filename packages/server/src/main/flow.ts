/** The stages of the message path, joined. @module */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import { MessageJournal } from '../journal/index.ts';
import { checkClientCertificate } from '../pki/index.ts';
import { DEVICE_CLASSES, type DeviceRegistry } from '../registry/index.ts';
import { Router } from '../route/index.ts';
import {
  type AdmittedPeer,
  Gate,
  type RateLimits,
  SERVICE_LIMITS,
  SESSION_LIMITS,
  SessionTable,
} from '../session/index.ts';
import { peerAddress } from '../wire/index.ts';
import type { Context } from './context.ts';
import { MessagePath } from './message-path.ts';
import type { Metrics } from './metrics.ts';
import { recoverBroker } from './recover-broker.ts';
import { TENANT } from './server-identity.ts';
import type { Audit, Registries, Storage } from './storage.ts';
import { storedCounters } from './stored-counters.ts';
import { publishSystemTopics, systemFigures } from './system-topics.ts';

/** The way of all messages, and who is on it. */
export interface Flow {
  readonly messagePath: MessagePath;
  readonly sessions: SessionTable;
  readonly gate: Gate;
  /** Decides who a TLS connection is. */
  readonly identify: (socket: TLSSocket) => AdmittedPeer | Refusal;
  /** Takes a new connection of the broker, or refuses it without a word: gives false then. */
  readonly admit: (socket: TLSSocket) => boolean;
}

/**
 * Joins gate, sessions, authorization, verification, journal and routing, and takes up the
 * sessions and retained messages that were there before a restart.
 */
export async function openFlow(
  { clock, log, onUndo }: Context,
  parts: Storage & Registries & Audit & { readonly metrics: Metrics },
): Promise<Flow> {
  const { store, identity, registry, payloadKeys, journal, refusals, recordAct, metrics } = parts;
  const { keyring } = store;
  const { report } = refusals;
  const check = (certificate: X509Certificate): ReturnType<typeof checkClientCertificate> =>
    checkClientCertificate(certificate, {
      authority: identity.authority,
      tenant: TENANT,
      nowMs: clock.nowMs(),
    });
  const gate = new Gate({ registry, check });
  const messages = new MessageJournal(journal, { keyring });
  const router = new Router({ clock, store: messages });
  const messagePath = new MessagePath({
    clock,
    log,
    report,
    recordAct,
    registry,
    payloadKeys,
    journal: messages,
    router,
    storedCounters: (deviceId, kid) =>
      storedCounters({ journal, registry, keyring }, deviceId, kid),
    countAccepted: metrics.countAccepted,
  });
  const sessions = new SessionTable({
    clock,
    registry,
    gate,
    report,
    openHandler: messagePath.open,
    store: messages,
    subscriptions: router,
    ratesOf: (peer) => ratesOf(registry, peer),
    limitsOf: (principal) =>
      registry.byId(principal)?.class === 'service' ? SERVICE_LIMITS : SESSION_LIMITS,
    onDrop: metrics.countDrop,
  });
  onUndo(() => sessions.close());
  await recoverBroker({ journal: messages, router, sessions });
  journal.onPressure((isPressed) => sessions.setPressed(isPressed));
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
  const identify = (socket: TLSSocket): AdmittedPeer | Refusal => gate.admit(tlsPeer(socket));
  return {
    messagePath,
    sessions,
    gate,
    identify,
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

/** What a peer may send: the rates of its class; a person's are those of a thing. */
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
