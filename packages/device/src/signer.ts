/** Signs for a device: proof that it has its private key, wherever that key is kept. @module */
import { type KeyObject, createPublicKey, sign } from 'node:crypto';

/** Uses a private key without showing it: of a file, of a PKCS #11 token, or of a program's own. */
export interface DeviceSigner {
  /** ECDSA on P-256 with SHA-256. RFC 7518 §3.4 */
  readonly algorithm: 'ES256';
  readonly publicKey: KeyObject;
  /**
   * Signs `data`, which is hashed here.
   * @returns the signature as DER, `SEQUENCE { r, s }`. RFC 3279 §2.2.3
   */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The signer of a key in memory, on P-256. */
export function keySigner(privateKey: KeyObject): DeviceSigner {
  return {
    algorithm: 'ES256',
    publicKey: createPublicKey(privateKey),
    sign: (data) => sign('sha256', data, { key: privateKey, dsaEncoding: 'der' }),
  };
}
