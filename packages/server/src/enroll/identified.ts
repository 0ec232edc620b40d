/** Which enrolled device is at the other end of a connection. @module */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import type { ApiError } from '@holdfast/protocol/api';
import type { Device, DeviceRegistry } from '../registry/index.ts';

/** Says who is at the other end of a TLS connection: the gate of the session stage. */
export type Identify = (socket: TLSSocket) => { readonly principal: string } | Refusal;

/** What tells devices apart. */
export interface IdentifiedDeps {
  readonly registry: DeviceRegistry;
  readonly identify: Identify;
}

/** The device whose certificate the gate admits, or why there is none. */
export function identified(
  socket: Socket,
  { identify, registry }: IdentifiedDeps,
): Device | Refusal {
  if (!(socket instanceof TLSSocket)) throw new TypeError('a device without TLS');
  const peer = identify(socket);
  if (peer instanceof Refusal) return peer;
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
    message: 'No client certificate that is accepted was shown.',
    fix: 'Show the operational certificate of the device, client.crt with client.key.',
  },
};
