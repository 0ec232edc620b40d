/** Looks at a listener from outside: what it shows, and what it must refuse. @module */
import type { X509Certificate } from 'node:crypto';
import { connect as connectPlain, isIP } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { systemCode } from '../failure.ts';

/** How long a listener may take for an answer. */
const PROBE_MS_MAX = 5_000;

/** Where to connect, and by which name. */
export interface Endpoint {
  /** Where the connection goes. */
  readonly address: string;
  readonly port: number;
  /** The name that the certificate has to have. */
  readonly host: string;
}

/** What a listener showed. */
export interface Shown {
  readonly protocol: string;
  readonly leaf: X509Certificate;
  /** Why the chain does not lead to the anchor; undefined when it does. */
  readonly chainProblem: string | undefined;
  /** Whether the connection has not left this machine. */
  readonly isHere: boolean;
}

/** What came of it when nothing could be seen. */
export interface Unseen {
  readonly unseen: string;
}

/**
 * What a listener shows to whoever comes. Nothing is sent over the connection.
 * @param anchorPem - What the chain has to lead to; without it, the authorities of this system.
 */
export async function lookAt(
  endpoint: Endpoint,
  anchorPem: string | undefined,
): Promise<Shown | Unseen> {
  const seen = await shake(endpoint, {
    ...(anchorPem !== undefined && { ca: anchorPem, allowPartialTrustChain: true }),
    minVersion: 'TLSv1.2',
  });
  return typeof seen === 'string' ? { unseen: seen } : seen;
}

/** Whether a listener answers to less than TLS 1.3; undefined when there was no answer at all. */
export async function takesOldTls(endpoint: Endpoint): Promise<boolean | undefined> {
  // At security level 0, OpenSSL itself refuses nothing: what refuses is the listener.
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.2', ciphers: 'ALL:@SECLEVEL=0' } as const;
  const seen = await shake(endpoint, old);
  if (typeof seen !== 'string') return true;
  return UNANSWERED.has(seen) ? undefined : false;
}

/** Whether a listener answers to what is not encrypted; undefined when there was no answer. */
export function takesPlaintext({ address, port }: Endpoint): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const socket = connectPlain({ host: address, port, timeout: PROBE_MS_MAX });
    const end = (answer: boolean | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => socket.write(PLAIN_BYTES));
    // A TLS alert is a refusal, in the form of TLS: anything else was said in the clear.
    socket.on('data', (bytes) => end(bytes[0] !== TLS_ALERT));
    socket.on('end', () => end(false));
    socket.on('timeout', () => end(undefined));
    socket.on('error', (error) => end(systemCode(error) === 'ECONNRESET' ? false : undefined));
  });
}

/** @returns what was shown, or the code of why nothing was. */
function shake(
  { address, port, host }: Endpoint,
  options: ConnectionOptions,
): Promise<Shown | string> {
  return new Promise((resolve) => {
    const socket = connect({
      ...options,
      host: address,
      port,
      // Server name indication has no form for an address. RFC 6066 §3
      ...(isIP(host) === 0 && { servername: host }),
      // What is wrong with the certificate is what is looked for: it is judged below.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      timeout: PROBE_MS_MAX,
    });
    const end = (answer: Shown | string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('error', (error) => end(systemCode(error) ?? error.message));
    socket.on('timeout', () => end('ETIMEDOUT'));
    socket.on('end', () => end('ECONNRESET'));
    socket.on('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate();
      if (leaf === undefined) return end('it shows no certificate');
      end({
        protocol: socket.getProtocol() ?? 'unknown',
        leaf,
        chainProblem: socket.authorized ? undefined : problemOf(socket.authorizationError),
        isHere: isHere(socket),
      });
    });
  });
}

/** Of a connection to an address of its own, a machine has both ends. */
function isHere({
  localAddress,
  remoteAddress,
}: {
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
}): boolean {
  if (localAddress === undefined || remoteAddress === undefined) return false;
  return localAddress === remoteAddress || LOOPBACK.test(remoteAddress);
}

/** Node gives a code, where its types say an error. */
function problemOf(problem: unknown): string {
  return problem instanceof Error ? (systemCode(problem) ?? problem.message) : String(problem);
}

const UNANSWERED = new Set(['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
/** What an HTTP server answers, and an MQTT broker takes for a broken packet. */
const PLAIN_BYTES = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const TLS_ALERT = 0x15;
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/u;
