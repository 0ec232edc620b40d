/** What is said in an exchange of SCRAM, read and written. @see RFC 5802 §7 @module */

import { SCRAM_MESSAGE_BYTES_MAX } from './limits.ts';

/** The first message of a client. */
export interface ClientFirst {
  /** Whether it knows channel binding, and for whom it acts. Here: `n,,` or `y,,`. */
  readonly gs2Header: string;
  /** The message without that header, which goes into what is proven. */
  readonly bare: string;
  readonly userName: string;
  readonly nonce: string;
}

/** The last message of a client. */
export interface ClientFinal {
  /** The message without its proof, which goes into what is proven. */
  readonly withoutProof: string;
  /** Base64 of the GS2 header that it sent first. */
  readonly binding: string;
  readonly nonce: string;
  /** 32 bytes. */
  readonly proof: Uint8Array;
}

/**
 * Reads the first message. Undefined when it is none that is taken here: with a binding to a
 * channel (TLS 1.3 and the certificate bind already), in the name of somebody else, or with an
 * extension that must be understood.
 */
export function parseClientFirst(data: Uint8Array | undefined): ClientFirst | undefined {
  const match = CLIENT_FIRST.exec(textOf(data));
  if (match === null) return undefined;
  const [, gs2Header = '', bare = '', userName = '', nonce = ''] = match;
  return { gs2Header, bare, userName, nonce };
}

/** Reads the last message; undefined when it is none. */
export function parseClientFinal(data: Uint8Array | undefined): ClientFinal | undefined {
  const match = CLIENT_FINAL.exec(textOf(data));
  if (match === null) return undefined;
  const [, withoutProof = '', binding = '', nonce = '', proof = ''] = match;
  return { withoutProof, binding, nonce, proof: Buffer.from(proof, 'base64') };
}

/** The challenge of the server. */
export function serverFirst({
  nonce,
  salt,
  iterations,
}: {
  nonce: string;
  salt: Uint8Array;
  iterations: number;
}): string {
  return `r=${nonce},s=${Buffer.from(salt).toString('base64')},i=${iterations}`;
}

/** The proof of the server. */
export function serverFinal(signature: Uint8Array): string {
  return `v=${Buffer.from(signature).toString('base64')}`;
}

/** Every byte is a character here, so what is not ASCII matches nothing. */
function textOf(data: Uint8Array | undefined): string {
  if (data === undefined || data.length > SCRAM_MESSAGE_BYTES_MAX) return '';
  return Buffer.from(data).toString('latin1');
}

const CLIENT_FIRST =
  /^([ny],,)(n=([^,=]{1,64}),r=([\x21-\x2b\x2d-\x7e]{8,128})(?:,[\x20-\x7e]+)?)$/u;
const CLIENT_FINAL =
  /^(c=([A-Za-z0-9+/]{1,64}={0,2}),r=([\x21-\x2b\x2d-\x7e]{8,256})),p=([A-Za-z0-9+/]{43}=)$/u;
