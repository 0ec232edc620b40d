/** `simplereenroll`: the next certificate, by the present one. @see RFC 7030 §4.2.2 @module */
import type { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import type { Act, RecordAct } from '../audit/index.ts';
import type { ApiKeyHeader } from '../ingest/index.ts';
import { type Clock, type ReportRefusal, WindowCounter } from '../kernel/index.ts';
import { certsOnly } from '../pki/index.ts';
import type { ClassSettings } from '../registry/index.ts';
import type { AdmittedPeer } from '../session/index.ts';
import { peerAddress } from '../wire/index.ts';
import { certificateFacts } from './certificate-facts.ts';
import {
  type EstContext,
  certificatesAnswer,
  refusalAnswer,
  requestOf,
  tlsSocketOf,
} from './est-answers.ts';
import type { Identify } from './identified.ts';
import type { IssueDeps } from './issue-once.ts';
import { RENEWALS_PER_DEVICE_MAX, RENEWAL_DEVICES_MAX, RENEWAL_WINDOW_MS } from './limits.ts';
import { type Renewed, type RenewingPeer, renew } from './renew.ts';

/** Tells whose certificate a TLS connection shows, also of one that is not admitted any more. */
export type Examine = (socket: TLSSocket) => RenewingPeer | Refusal;

/** What the route needs. */
export interface SimpleReenrollDeps extends IssueDeps {
  readonly clock: Clock;
  readonly identify: Identify;
  readonly apiKeyHeader: Pick<ApiKeyHeader, 'refusalOf' | 'recheck'>;
  readonly examine: Examine;
  readonly classSettings: Pick<ClassSettings, 'of'>;
  readonly recordAct: RecordAct;
  readonly report: ReportRefusal;
}

/** Makes the handler, which counts the renewals of each device. */
export function simpleReenroll(deps: SimpleReenrollDeps): (c: EstContext) => Promise<Response> {
  const renewals = new WindowCounter(deps.clock, {
    windowMs: RENEWAL_WINDOW_MS,
    keysMax: RENEWAL_DEVICES_MAX,
  });
  const count = (deviceId: string): Refusal | undefined => {
    if (renewals.add(deviceId) <= RENEWALS_PER_DEVICE_MAX) return undefined;
    return refuse(
      'E_ENROLL_RATE',
      `${deviceId} renews more than ${RENEWALS_PER_DEVICE_MAX} times an hour`,
    );
  };
  return async (c) => {
    const socket = tlsSocketOf(c);
    const peer = renewingPeer(socket, deps);
    const circumstances = { address: peerAddress(c.env.incoming.socket), topic: c.req.path };
    if (peer instanceof Refusal) {
      const claimed = socket.getPeerX509Certificate()?.subject;
      deps.report({ refusal: peer, claimed, ...circumstances });
      return refusalAnswer(c, peer, notAccepted);
    }
    const keyed = { kind: 'device', principal: peer.deviceId } as const;
    const shownBy = { headers: c.req.raw.headers, connection: socket };
    const keyless = await deps.apiKeyHeader.refusalOf(peer.admitted ?? keyed, shownBy);
    if (keyless !== undefined) {
      deps.report({ refusal: keyless, principal: peer.deviceId, ...circumstances });
      return refusalAnswer(c, keyless, notAccepted);
    }
    const csr = await requestOf(c, deps.report);
    if (csr instanceof Response) return csr;
    // The request took its time to arrive; what counts is how things stand now.
    const renewed =
      deps.apiKeyHeader.recheck(keyed, shownBy) ?? renew(peer, csr, { ...deps, count });
    if (renewed instanceof Refusal) {
      const { deviceId: principal } = peer;
      deps.report({ refusal: renewed, principal, ...circumstances });
      if (renewed.code === 'E_ENROLL_CLONE') await answerClone(peer, deps);
      return refusalAnswer(c, renewed, notAccepted);
    }
    await recordRenewal(renewed, { ...deps, ...circumstances });
    return certificatesAnswer(c, certsOnly([renewed.certificateDer]));
  };
}

/**
 * The gate first: what it admits is thereby used, and its connection is closed when the device is
 * revoked. What it does not admit may be a certificate that has ended, or a clone.
 */
function renewingPeer(
  socket: TLSSocket,
  { identify, examine }: SimpleReenrollDeps,
): (RenewingPeer & { readonly admitted?: AdmittedPeer }) | Refusal {
  const admitted = identify(socket);
  if (!(admitted instanceof Refusal)) {
    const peer = examine(socket);
    return peer instanceof Refusal ? peer : { ...peer, admitted };
  }
  return MAY_STILL_RENEW.has(admitted.code) ? examine(socket) : admitted;
}

/** Two hold the key of one device: it is stopped until somebody has looked, if its class says so. */
async function answerClone(
  { deviceId, record }: RenewingPeer,
  { registry, classSettings, recordAct }: SimpleReenrollDeps,
): Promise<void> {
  const device = registry.byId(deviceId);
  if (device === undefined || classSettings.of(device.class).onClone !== 'quarantine') return;
  const reason = 'a superseded certificate of it was to be renewed: it may have a clone';
  const facts = { stateBefore: device.state, finding: 'E_ENROLL_CLONE', serial: record.serial };
  const act: Act = {
    action: 'device.quarantine',
    principal: 'server',
    target: deviceId,
    reason,
    facts,
  };
  let isStopped = true;
  try {
    const stopped = registry.changeState(deviceId, { act: 'quarantine', by: 'server', reason });
    // It is stopped already, or its access has ended.
    isStopped = !(stopped instanceof Refusal);
  } finally {
    // Recorded even when the disk fails: the device is stopped by then.
    if (isStopped) await recordAct(act);
  }
}

async function recordRenewal(
  { device, certificateDer, isRepeated, ignored, isQuarantined }: Renewed,
  { recordAct, address }: { recordAct: RecordAct; address: string },
): Promise<void> {
  const { id, stateReason: reason } = device;
  const facts = { ...certificateFacts(certificateDer), isRepeated, ignored, address };
  await recordAct({ action: 'device.renew', principal: id, target: id, facts });
  if (!isQuarantined) return;
  await recordAct({ action: 'device.quarantine', principal: 'server', target: id, reason });
}

/** 403, not 401: there is no other credential that would do. */
function notAccepted(c: EstContext): Response {
  return c.text('The certificate is not accepted.\n', 403);
}

/** What the gate says of a certificate that is still looked at here. */
const MAY_STILL_RENEW: ReadonlySet<string> = new Set([
  'E_SESSION_EXPIRED',
  'E_SESSION_SUPERSEDED',
  'E_SESSION_STATE',
]);
