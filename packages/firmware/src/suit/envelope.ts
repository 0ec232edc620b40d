/** Signs a manifest: the envelope that devices get. @see draft-ietf-suit-manifest §8.2, §8.3 @module */
import { createHash } from 'node:crypto';
import type { Signer } from '../request/index.ts';
import { type Cbor, CborMap, CborTag, encodeCbor } from './cbor.ts';
import { ENVELOPE, TAG } from './codes.ts';
import { sign1 } from './cose-sign1.ts';
import { suitDigest } from './manifest.ts';

/** The envelope around an encoded manifest, signed by each of the keys. */
export async function suitEnvelope(
  manifest: Uint8Array,
  signers: readonly Signer[],
): Promise<Uint8Array> {
  const wrapped = encodeCbor(manifest);
  const digest = suitDigest(createHash('sha256').update(wrapped).digest());
  const authentication: Cbor[] = [digest];
  for (const signer of signers) authentication.push(await sign1(digest, signer));
  const members = new CborMap([
    [ENVELOPE.authentication, encodeCbor(authentication)],
    [ENVELOPE.manifest, manifest],
  ]);
  return encodeCbor(new CborTag(TAG.envelope, members));
}
