/** Reads the HTTP Basic credential. @see RFC 7617 @module */
import { Secret } from '../kernel/index.ts';

/** A name and a password, as a peer sent them. */
export interface BasicCredential {
  readonly name: string;
  readonly password: Secret<string>;
}

/** The credential of an Authorization header; undefined when there is none in this form. */
export function readBasicCredential(header: string | undefined): BasicCredential | undefined {
  const digits = FORM.exec(header ?? '')?.[1];
  if (digits === undefined) return undefined;
  const text = Buffer.from(digits, 'base64').toString('utf8');
  // The name ends at the first colon; the password may hold more of them. RFC 7617 §2
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { name: text.slice(0, colon), password: new Secret(text.slice(colon + 1)) };
}

const FORM = /^Basic +([A-Za-z0-9+/]+={0,2})$/iu;
