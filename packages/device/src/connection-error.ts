/** Turns what node:tls and the network say into a {@link DeviceError} that names the way out. @module */
import { DeviceError, type DeviceErrorCode, systemCode } from './device-error.ts';

/** Whom the device wanted to talk to. */
export interface Peer {
  /** Host name or IP address, the latter without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Explains why a connection could not be made, or ended. */
export function connectionError(cause: unknown, { host, port }: Peer): DeviceError {
  if (cause instanceof DeviceError) return cause;
  const name = systemCode(cause) ?? '';
  const { code, what, fix } = EXPLANATIONS.find(({ match }) => match.test(name)) ?? UNEXPLAINED;
  const detail = name === '' ? '' : ` (${name})`;
  return new DeviceError(code, { message: `${host}:${port}: ${what}${detail}.`, fix, cause });
}

interface Explanation {
  readonly code: DeviceErrorCode;
  readonly what: string;
  readonly fix: string;
}

const UNEXPLAINED: Explanation = {
  code: 'E_DEVICE_CONNECTION',
  what: 'the connection failed',
  fix: 'Look at the refusals on the server; they name the reason.',
};

/** Error codes of OpenSSL's verification, of node:tls and of the system; the first match counts. */
const EXPLANATIONS: readonly (Explanation & { readonly match: RegExp })[] = [
  {
    match: /^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/u,
    code: 'E_DEVICE_CLOCK',
    what: 'the certificate of the server is expired or not valid yet',
    fix: 'Set the clock of this device; if it is right, look at the server.',
  },
  {
    match: /^ERR_TLS_CERT_ALTNAME_INVALID$/u,
    code: 'E_DEVICE_HOST_NAME',
    what: 'the certificate of the server is for another host name',
    fix: 'Start the server with this host name among its names, and enroll again.',
  },
  {
    match: /^(?!ERR_).*(?:CERT|SIGNATURE|INVALID_CA|PURPOSE|PATH_LENGTH|UNSPECIFIED)/u,
    code: 'E_DEVICE_SERVER',
    what: 'the certificate of the server does not verify',
    fix: 'Do not go on: this is another server, or somebody in between. Check the address.',
  },
  {
    match: /^E(?:CONNREFUSED|HOSTUNREACH|NETUNREACH|NOTFOUND|TIMEDOUT|AI_AGAIN|HOSTDOWN)$/u,
    code: 'E_DEVICE_UNREACHABLE',
    what: 'the server cannot be reached',
    fix: 'Check the network, the address, and that the server is running.',
  },
  {
    match: /^ERR_SSL_.*_ALERT_/u,
    code: 'E_DEVICE_REFUSED',
    what: 'the server broke off the TLS handshake',
    fix: 'Look at the refusals on the server; they name the reason.',
  },
];
