/** The stages of the message path, joined. @module */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import { MessageJournal } from '../journal/index.ts';
import { checkClientCertificate } from '../pki/index.ts';
import { Router } from '../route/index.ts';
import { type AdmittedPeer, Gate, SessionTable } from '../session/index.ts';
import { peerAddress } from '../wire/index.ts';
import type { Context } from './context.ts';
import { MessagePath } from './message-path.ts';
import type { Metrics } from './metrics.ts';
import { TENANT } from './server-identity.ts';
import type { Audit, Registries, Storage } from './storage.ts';
import { storedCounter } from './stored-counter.ts';

/** The way of all messages, and who is on it. */
export interface Flow {
  readonly messagePath: MessagePath;
  readonly sessions: SessionTable;
  /** Decides who a TLS connection is. */
  readonly identify: (socket: TLSSocket) => AdmittedPeer | Refusal;
  /** Takes a new connection of the broker, or refuses it without a word. */
  readonly admit: (socket: TLSSocket) => void;
}

/** Joins gate, sessions, authorization, verification, journal and routing. */
export function openFlow(
  { clock, log, onUndo }: Context,
  parts: Storage & Registries & Audit & { readonly metrics: Metrics },
): Flow {
  const { store, identity, registry, payloadKeys, journal, refusals, metrics } = parts;
  const { keyring } = store;
  const { report } = refusals;
  const check = (certificate: X509Certificate): ReturnType<typeof checkClientCertificate> =>
    checkClientCertificate(certificate, {
      authority: identity.authority,
      tenant: TENANT,
      nowMs: clock.nowMs(),
    });
  const gate = new Gate({ registry, check });
  const messagePath = new MessagePath({
    clock,
    log,
    report,
    registry,
    payloadKeys,
    journal: new MessageJournal(journal, { keyring }),
    router: new Router(),
    storedCounter: (deviceId, kid) => storedCounter({ journal, registry, keyring }, deviceId, kid),
    countAccepted: metrics.countAccepted,
  });
  const openHandler = messagePath.open;
  const sessions = new SessionTable({ clock, registry, gate, openHandler, report });
  onUndo(() => sessions.close());
  journal.onPressure((isPressed) => sessions.setPressed(isPressed));
  metrics.watch({
    connections: () => sessions.count,
    pendingBytes: () => journal.pendingBytes,
    devices: () => registry.all().length,
  });
  const identify = (socket: TLSSocket): AdmittedPeer | Refusal => gate.admit(tlsPeer(socket));
  return {
    messagePath,
    sessions,
    identify,
    admit: (socket) => {
      const peer = identify(socket);
      if (!(peer instanceof Refusal)) return sessions.add(peer, socket);
      const claimed = socket.getPeerX509Certificate()?.subject;
      report({ refusal: peer, address: peerAddress(socket), claimed });
      socket.on('error', () => {});
      return void socket.destroy();
    },
  };
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
