/** The PKCS#10 request with which a device asks for its certificate. @see RFC 2986 @module */
import {
  TAG,
  derBitString,
  derElement,
  derOid,
  derSequence,
  derSmallInteger,
  derUtf8,
} from './der-writer.ts';
import type { DeviceSigner } from './signer.ts';

/**
 * Makes a certificate request, signed with the key it is for: that is its proof of possession.
 *
 * @param deviceId - becomes the common name. The server takes only the public key of a request
 *   and writes names from its own registry; this one is for people who look at the file.
 * @returns DER
 */
export async function certificateRequest(
  signer: DeviceSigner,
  deviceId: string,
): Promise<Uint8Array> {
  const commonName = derSequence(derOid(OID.commonName), derUtf8(deviceId));
  const subject = derSequence(derElement(TAG.set, commonName));
  const publicKey = signer.publicKey.export({ format: 'der', type: 'spki' });
  const attributes = derElement(TAG.context0);
  const info = derSequence(derSmallInteger(VERSION_1), subject, publicKey, attributes);
  const signature = await signer.sign(info);
  const algorithm = derSequence(derOid(OID.ecdsaWithSha256));
  return derSequence(info, algorithm, derBitString(signature));
}

/** RFC 2986 §4.1: v1 is written as 0. */
const VERSION_1 = 0;
const OID = {
  commonName: '2.5.4.3',
  /** RFC 5758 §3.2: without parameters. */
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;
