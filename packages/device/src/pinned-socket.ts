/** Opens a connection to the server: verified, named, and pinned, or not at all. @module */
import { Socket, isIP } from 'node:net';
import { type ConnectionOptions, TLSSocket, connect } from 'node:tls';
import type { Peer } from './connection-error.ts';
import { DeviceError } from './device-error.ts';
import type { DeviceIdentity } from './identity-files.ts';
import { type Pin, isPinned } from './pin.ts';
import { tokenError } from './pkcs11-port.ts';

/** Whom to call, whom to believe, and as whom. */
export interface PinnedTarget {
  readonly peer: Peer;
  /** The trust anchor, PEM. */
  readonly anchorPem: string;
  readonly pins: readonly Pin[];
  readonly identity: Pick<DeviceIdentity, 'certificatePem' | 'tlsKey'>;
}

/**
 * Connects with mutual TLS 1.3. The server is accepted only when its chain leads to the trust
 * anchor of the bundle, the host name matches, and its certificate or key is pinned. The pin is
 * checked before the first byte is written: a server that only holds a certificate of the right
 * authority learns nothing but that a device called.
 *
 * @param onReady - called once the server is accepted; otherwise the socket emits `error`
 */
export function openPinnedSocket(target: PinnedTarget, onReady: () => void): TLSSocket {
  const { peer, anchorPem, pins, identity } = target;
  const { host, port } = peer;
  const socket = dial(identity, {
    host,
    port,
    // Server name indication has no form for an address. RFC 6066 §3
    ...(isIP(host) === 0 && { servername: host }),
    ca: anchorPem,
    minVersion: 'TLSv1.3',
    // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED in the environment would switch it off.
    rejectUnauthorized: true,
  });
  socket.setNoDelay(true);
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    if (socket.authorized && certificate !== undefined && isPinned(certificate, pins)) {
      onReady();
    } else {
      socket.destroy(pinError(peer));
    }
  });
  return socket;
}

/** A key in a token that is gone is a connection that fails, and may come back. */
function dial(
  { certificatePem, tlsKey }: PinnedTarget['identity'],
  options: ConnectionOptions,
): TLSSocket {
  const key = tlsKey();
  try {
    return connect({ ...options, cert: certificatePem, ...key });
  } catch (cause) {
    if ('key' in key) throw cause;
    const socket = new TLSSocket(new Socket());
    socket.destroy(tokenError('OpenSSL does not find the key in the token', undefined, cause));
    return socket;
  }
}

function pinError({ host, port }: Peer): DeviceError {
  return new DeviceError('E_DEVICE_PIN', {
    message: `${host}:${port}: the certificate verifies, but it is none that the bundle pins.`,
    fix: 'If the server has a new key, enroll again; else find out who answers there.',
  });
}
