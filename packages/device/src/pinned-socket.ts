/** Opens the connection to the broker: verified, named, and pinned, or not at all. @module */
import { isIP } from 'node:net';
import { type TLSSocket, connect } from 'node:tls';
import type { Bundle } from './bundle.ts';
import { DeviceError } from './device-error.ts';
import { isPinned } from './pin.ts';

/**
 * Connects with mutual TLS 1.3. The server is accepted only when its chain leads to the trust
 * anchor of the bundle, the host name matches, and its certificate or key is pinned. The pin is
 * checked before the first byte is written: a server that only holds a certificate of the right
 * authority learns nothing but that a device called.
 *
 * @param onReady - called once the server is accepted; otherwise the socket emits `error`
 */
export function openPinnedSocket(bundle: Bundle, onReady: () => void): TLSSocket {
  const { host, port } = bundle.broker;
  const socket = connect({
    host,
    port,
    // Server name indication has no form for an address. RFC 6066 §3
    ...(isIP(host) === 0 && { servername: host }),
    ca: bundle.anchorPem,
    cert: bundle.certificatePem,
    key: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    minVersion: 'TLSv1.3',
    // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED in the environment would switch it off.
    rejectUnauthorized: true,
  });
  socket.setNoDelay(true);
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    if (socket.authorized && certificate !== undefined && isPinned(certificate, bundle.pins)) {
      onReady();
    } else {
      socket.destroy(pinError(bundle));
    }
  });
  return socket;
}

function pinError({ broker: { host, port } }: Bundle): DeviceError {
  return new DeviceError('E_DEVICE_PIN', {
    message: `${host}:${port}: the certificate verifies, but it is none that the bundle pins.`,
    fix: 'If the server has a new key, enroll again; else find out who answers there.',
  });
}
