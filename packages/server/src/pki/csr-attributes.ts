/** What a certificate request is to be like: the answer to `csrattrs`. @module */
import { SEQUENCE, element } from './der.ts';

/**
 * CsrAttrs in DER: a key on P-256, and a signature by ECDSA with SHA-256. Nothing else is asked
 * for, because a request contributes nothing but its key.
 * @see RFC 7030 §4.5.2, RFC 9908 §3.2
 */
export function csrAttributes(): Uint8Array {
  const keyKind = element(SEQUENCE, EC_PUBLIC_KEY, element(SET, P256));
  return element(SEQUENCE, keyKind, ECDSA_WITH_SHA256);
}

const SET = 0x31;
/** RFC 5480 §2.1.1 */
const EC_PUBLIC_KEY = Buffer.from('06072a8648ce3d0201', 'hex');
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
/** RFC 5758 §3.2 */
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
