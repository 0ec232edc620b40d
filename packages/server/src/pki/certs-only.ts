/** The answer of an EST server: certificates and no signature. @module */
import { SEQUENCE, element } from './der.ts';

/**
 * Packs DER certificates, byte for byte and in this order, into a PKCS#7 "certs-only" message.
 * @see RFC 7030 §4.1.3, RFC 5652 §5.1
 */
export function certsOnly(certificates: readonly Uint8Array[]): Uint8Array {
  const signedData = element(
    SEQUENCE,
    VERSION_1,
    element(SET), // No digest algorithms, because nothing is signed.
    element(SEQUENCE, ID_DATA),
    element(CONTEXT_0, ...certificates),
    element(SET), // No signers.
  );
  return element(SEQUENCE, ID_SIGNED_DATA, element(CONTEXT_0, signedData));
}

const SET = 0x31;
const CONTEXT_0 = 0xa0;
const VERSION_1 = Buffer.from('020101', 'hex');
/** 1.2.840.113549.1.7.1 */
const ID_DATA = Buffer.from('06092a864886f70d010701', 'hex');
/** 1.2.840.113549.1.7.2 */
const ID_SIGNED_DATA = Buffer.from('06092a864886f70d010702', 'hex');
