/** Plain signatures over an artifact, for devices that read no metadata. @module */
import { type KeyObject, verify } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { z } from 'zod';
import { keyAlgorithm } from '../metadata/index.ts';
import type { DetachedSignatureSchema } from '../release.ts';
import type { Signer } from '../request/index.ts';
import { describeKey } from './describe-key.ts';
import { DETACHED_BYTES_MAX, DETACHED_SIGNATURE_BYTES_MAX } from './limits.ts';

/** A signature as a release carries it. */
export type DetachedSignature = Readonly<z.infer<typeof DetachedSignatureSchema>>;

/** Signs an artifact with each of the keys. */
export async function signDetached(
  artifact: Uint8Array,
  signers: readonly Signer[],
): Promise<DetachedSignature[] | Refusal> {
  if (artifact.length > DETACHED_BYTES_MAX) {
    return refuse('E_UPDATE_DETACHED', 'The artifact is too large for a detached signature.');
  }
  const signatures: DetachedSignature[] = [];
  for (const signer of signers) {
    const algorithm = NAMES[keyAlgorithm(signer.key)];
    const signature = Buffer.from(await signer.sign(artifact)).toString('base64');
    signatures.push({ algorithm, keyId: signer.key.keyID, signature });
  }
  return signatures;
}

/**
 * Checks the bytes of a `.sig` file against an artifact and a key.
 * @param check.signature - DER for a key on P-256, 64 bytes for Ed25519
 * @returns undefined when it holds
 */
export function verifyDetached({
  artifact,
  signature,
  publicKey,
}: {
  readonly artifact: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: KeyObject;
}): Refusal | undefined {
  if (signature.length > DETACHED_SIGNATURE_BYTES_MAX || artifact.length > DETACHED_BYTES_MAX) {
    return refuse('E_UPDATE_DETACHED', 'The signature or the artifact is too large.');
  }
  const { algorithm } = describeKey(publicKey);
  const holds =
    algorithm === 'ed25519'
      ? verify(null, artifact, publicKey, signature)
      : verify('sha256', artifact, { key: publicKey, dsaEncoding: 'der' }, signature);
  if (holds) return undefined;
  return refuse('E_UPDATE_DETACHED', 'The signature is not one of this key over this artifact.');
}

/**
 * The text of a `.sha256` file, as `sha256sum --check` reads it.
 * @param name - of the artifact, without a path
 */
export function sha256File(sha256: string, name: string): string {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${sha256}  ${escaped}\n`;
}

const NAMES = { ed25519: 'ed25519', 'ecdsa-p256': 'ecdsa-p256-sha256' } as const;
