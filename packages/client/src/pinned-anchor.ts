/** First contact with a server of which only a pin is known. @module */
import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { ApiError } from './api-error.ts';
import { REQUEST_MS_MAX } from './limits.ts';

/** A pin of a server certificate: its SHA-256, or that of its public key. */
export interface Pin {
  readonly kind: 'certificate' | 'spki';
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Reads a pin as Holdfast and openssl print it: 64 hexadecimal digits with or without colons and
 * `SHA256 Fingerprint=` before them, or `sha256//<base64>` for the key (RFC 7469).
 */
export function parsePin(text: string): Pin | undefined {
  const spki = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/u.exec(text.trim())?.[1];
  if (spki !== undefined)
    return { kind: 'spki', sha256: Buffer.from(spki, 'base64').toString('hex') };
  const hex = text
    .trim()
    .replace(/^sha256 fingerprint=/iu, '')
    .replaceAll(':', '')
    .toLowerCase();
  return /^[0-9a-f]{64}$/u.test(hex) ? { kind: 'certificate', sha256: hex } : undefined;
}

/**
 * Looks at the certificates of a server, and takes the last of its chain as trust anchor if the
 * server proves to be the pinned one. TLS 1.3 makes a server sign the handshake, the chain in it,
 * with the key of its certificate, so whoever passes the pin has that key. Each certificate of the
 * chain must have signed the one before: who has stolen the key cannot add an authority to it.
 * Nothing is sent over this connection, and nothing but the certificates is taken from it.
 *
 * @returns the anchor in PEM, for `createClient`.
 * @throws ApiError `E_CLIENT_UNTRUSTED`, `E_CLIENT_UNREACHABLE`.
 */
export async function pinnedAnchor(url: string, pin: Pin): Promise<string> {
  const { host } = new URL(url);
  const chain = await shownChain(url);
  const [leaf] = chain;
  const anchor = chain.at(-1);
  if (leaf !== undefined && anchor !== undefined && pinOf(leaf, pin.kind) === pin.sha256) {
    return anchor.toString();
  }
  throw new ApiError({
    code: 'E_CLIENT_UNTRUSTED',
    message: `${host} does not have the certificate that you pinned.`,
    fix: 'Compare with holdfast pin on the server; if they agree, somebody is in between.',
  });
}

/**
 * The pins of whoever answers, for a person to compare. They prove nothing by themselves.
 * @returns SHA-256 of the certificate in hex, and of its key in base64.
 * @throws ApiError `E_CLIENT_UNREACHABLE`.
 */
export async function shownPins(url: string): Promise<{ certificate: string; spki: string }> {
  const [leaf] = await shownChain(url);
  if (leaf === undefined) throw unreachable(url, new Error('it shows no certificate'));
  const spki = Buffer.from(pinOf(leaf, 'spki'), 'hex').toString('base64');
  return { certificate: pinOf(leaf, 'certificate'), spki };
}

/** Nothing is sent over this connection, and nothing but the certificates is taken from it. */
async function shownChain(url: string): Promise<X509Certificate[]> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/gu, '');
  const socket = connect({
    host,
    // Server name indication has no form for an address. RFC 6066 §3
    ...(isIP(host) === 0 && { servername: host }),
    port: port === '' ? 443 : Number(port),
    minVersion: 'TLSv1.3',
    // The chain cannot be verified yet: what takes its place is the pin.
    rejectUnauthorized: false,
    timeout: REQUEST_MS_MAX,
  });
  try {
    return await chainOf(socket);
  } catch (error) {
    throw unreachable(url, error);
  } finally {
    socket.destroy();
  }
}

function unreachable(url: string, cause: unknown): ApiError {
  return new ApiError({
    code: 'E_CLIENT_UNREACHABLE',
    message: `${new URL(url).host} cannot be reached.`,
    fix: 'Check that the server runs (holdfast up), and its address.',
    cause,
  });
}

function chainOf(socket: TLSSocket): Promise<X509Certificate[]> {
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('timeout', () => reject(new Error('the TLS handshake took too long')));
    socket.on('secureConnect', () => {
      const chain: X509Certificate[] = [];
      let certificate = socket.getPeerX509Certificate();
      while (certificate !== undefined && chain.length < CHAIN_CERTIFICATES_MAX) {
        // OpenSSL has compared names only: an issuer is who has signed.
        if (chain.at(-1)?.verify(certificate.publicKey) === false) break;
        chain.push(certificate);
        certificate = certificate.issuerCertificate;
      }
      resolve(chain);
    });
  });
}

function pinOf(certificate: X509Certificate, kind: Pin['kind']): string {
  const bytes =
    kind === 'certificate'
      ? certificate.raw
      : certificate.publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(bytes).digest('hex');
}

/** Longest chain: server, issuing CA and root, and room for one more. */
const CHAIN_CERTIFICATES_MAX = 4;
