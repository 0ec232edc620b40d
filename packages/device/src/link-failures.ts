/** Why an MQTT connection could not be made, or ended, in words. @module */
import type { X509Certificate } from 'node:crypto';
import type { ProtocolLevel } from '@holdfast/protocol/mqtt';
import type { Peer } from './connection-error.ts';
import { DeviceError } from './device-error.ts';

/** The socket was closed without a word. */
export function closedByServer(peer: Peer, wasOpen: boolean): DeviceError {
  const when = wasOpen ? '' : ' before it accepted the device';
  return connectionEnded(peer, `the server closed the connection${when}`);
}

/** The server sent what a server must not send. */
export function protocolError(peer: Peer, detail: string): DeviceError {
  return connectionEnded(peer, `the server broke the rules of MQTT: ${detail}`);
}

/** A DISCONNECT of MQTT 5. */
export function saidGoodbye(peer: Peer, reasonCode: number): DeviceError {
  return connectionEnded(peer, `the server said goodbye (${hexOf(reasonCode)})`);
}

/** A CONNACK that says no. */
export function refusedConnection(code: number, level: ProtocolLevel): DeviceError {
  const meaning = level === 5 ? hexOf(code) : (CONNACK_MEANINGS[code] ?? 'unknown');
  const message = `The server refused the connection: ${meaning}.`;
  return new DeviceError('E_DEVICE_REFUSED', { message, fix: LOOK });
}

/**
 * A server does not say why it ends a connection that it has not accepted; an expired certificate
 * of ours is the usual reason.
 */
export function explainExpired(
  error: DeviceError,
  certificate: X509Certificate,
  nowMs: number,
): DeviceError {
  const isExpired = nowMs > certificate.validToDate.getTime();
  const isUnexplained = error.code === 'E_DEVICE_CONNECTION' || error.code === 'E_DEVICE_REFUSED';
  if (!isUnexplained || !isExpired) return error;
  return new DeviceError('E_DEVICE_CLOCK', {
    message: `The certificate of this device expired on ${certificate.validTo}.`,
    fix: 'It is renewed within its grace; after that, enroll again. A wrong clock has to be set.',
    cause: error,
  });
}

function connectionEnded({ host, port }: Peer, what: string): DeviceError {
  const message = `${host}:${port}: ${what}.`;
  return new DeviceError('E_DEVICE_CONNECTION', { message, fix: LOOK });
}

function hexOf(reasonCode: number): string {
  return `0x${reasonCode.toString(16).padStart(2, '0')}`;
}

const LOOK = 'Look at the refusals on the server; they name the reason.';

/** MQTT 3.1.1, table 3.1 */
const CONNACK_MEANINGS: readonly string[] = [
  'accepted',
  'it does not speak this version of MQTT',
  'the client id is not accepted',
  'it is not available',
  'bad user name or password',
  'this device is not authorized',
];
