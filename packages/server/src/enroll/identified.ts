/** Which enrolled device is at the other end of a connection. @module */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import type { ApiError } from '@holdfast/protocol/api';
import type { ApiKeyHeader } from '../ingest/index.ts';
import type { Device, DeviceRegistry } from '../registry/index.ts';
import type { AdmittedPeer, Gate, QuarantinedPeer } from '../session/index.ts';

/** Says who is at the other end of a TLS connection: the gate of the session stage. */
export type Identify = (socket: TLSSocket) => AdmittedPeer | Refusal;

/** What tells devices apart. */
export interface IdentifiedDeps {
  readonly registry: DeviceRegistry;
  readonly identify: Identify;
  readonly gate: Pick<Gate, 'recheck'>;
  readonly apiKeyHeader: Pick<ApiKeyHeader, 'refusalOf' | 'recheck'>;
}

/** A request of a device. */
interface DeviceRequest {
  readonly socket: Socket;
  readonly headers: Headers;
  /** Whether the device may do without its API key. */
  readonly isExempt?: (device: Device) => boolean;
}

/**
 * The device whose certificate the gate admits, and which shows the API key that its class asks
 * for; or why there is none.
 */
export async function identified(
  { socket, headers, isExempt = () => false }: DeviceRequest,
  { identify, registry, gate, apiKeyHeader }: IdentifiedDeps,
): Promise<Device | Refusal> {
  if (!(socket instanceof TLSSocket)) throw new TypeError('a device without TLS');
  const peer = identify(socket);
  if (peer instanceof Refusal) return peer;
  const { principal } = peer;
  const shownBy = { headers, connection: socket };
  const known = registry.byId(principal);
  if (known === undefined || !isExempt(known)) {
    const refusal = await apiKeyHeader.refusalOf(peer, shownBy);
    // To check a key takes its time, in which the device may have been revoked.
    const gone = refusal ?? gate.recheck(peer) ?? apiKeyHeader.recheck(peer, shownBy);
    if (gone !== undefined) return gone;
  }
  const device = registry.byId(principal);
  return device ?? refuse('E_SESSION_UNKNOWN_CERTIFICATE', `no device ${principal}`);
}

/** What knows devices in quarantine. */
export interface QuarantineDeps {
  readonly registry: Pick<DeviceRegistry, 'byId'>;
  readonly quarantined: (socket: TLSSocket) => QuarantinedPeer | Refusal;
  readonly gate: Pick<Gate, 'recheckQuarantined'>;
  readonly apiKeyHeader: Pick<ApiKeyHeader, 'refusalOf' | 'recheck'>;
}

/**
 * The device in quarantine at the other end, with the API key that its class asks for; or why
 * there is none. For the way to its updates alone, see {@link Gate.quarantined}.
 */
export async function identifiedInQuarantine(
  { socket, headers }: Pick<DeviceRequest, 'socket' | 'headers'>,
  { quarantined, registry, gate, apiKeyHeader }: QuarantineDeps,
): Promise<Device | Refusal> {
  if (!(socket instanceof TLSSocket)) throw new TypeError('a device without TLS');
  const peer = quarantined(socket);
  if (peer instanceof Refusal) return peer;
  const shownBy = { headers, connection: socket };
  const refusal = await apiKeyHeader.refusalOf(peer, shownBy);
  // To check a key takes its time, in which the device may have been revoked.
  const gone = refusal ?? gate.recheckQuarantined(peer) ?? apiKeyHeader.recheck(peer, shownBy);
  if (gone !== undefined) return gone;
  const device = registry.byId(peer.principal);
  return device ?? refuse('E_SESSION_UNKNOWN_CERTIFICATE', `no device ${peer.principal}`);
}

/** What the certificate of a peer says of itself. Never trusted. */
export function subjectOf(socket: Socket): string | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.subject : undefined;
}

/** Tells every peer without a good certificate the same, whatever is wrong with it. */
export const NOT_IDENTIFIED: ApiError = {
  error: {
    code: 'E_OPERATE_UNAUTHENTICATED',
    message: 'No certificate, or no API key, that is accepted was shown.',
    fix: 'Show client.crt with client.key of the device, and its API key if its class asks for one.',
  },
};
