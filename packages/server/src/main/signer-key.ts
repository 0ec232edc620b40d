/** The key of a person who signs firmware, sealed by a passphrase; used away from the server. @module */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import {
  type KeyAlgorithm,
  type Signer,
  type SignerKeyFile,
  keyOf,
  memorySigner,
  readPublicKey,
} from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import {
  PassphraseParametersSchema,
  newPassphraseParameters,
  openByPassphrase,
  sealByPassphrase,
} from '../crypto/index.ts';
import { Fault, systemRandom } from '../kernel/index.ts';

/** Makes a key, and its file. */
export async function makeSignerKey({
  name,
  algorithm,
  passphrase,
}: {
  readonly name: string;
  readonly algorithm: KeyAlgorithm;
  readonly passphrase: string;
}): Promise<SignerKeyFile> {
  const pair =
    algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' });
  const pkcs8 = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
  const context = contextOf(keyOf(pair.publicKey).keyID);
  const sealed = await sealKey(pkcs8, { passphrase, context });
  return { type: 'holdfast-signer-key/1', name, publicKey, sealed };
}

/**
 * Opens the key of a file.
 * @throws Fault `E_CRYPTO_SIGNER_KEY` when the passphrase is wrong or the file was changed
 */
export async function openSignerKey(file: SignerKeyFile, passphrase: string): Promise<Signer> {
  const key = readPublicKey(file.publicKey);
  if (key instanceof Refusal || file.sealed === undefined) throw signerKeyFault();
  const der = await openSealedKey(file.sealed, { passphrase, context: contextOf(key.keyID) });
  const signer = memorySigner(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  der.fill(0);
  if (signer.key.keyID !== key.keyID) throw signerKeyFault();
  return signer;
}

type SealedKey = NonNullable<SignerKeyFile['sealed']>;

/** Seals a private key, PKCS#8 in DER. @param options.context - what it is for, and whose it is */
export async function sealKey(
  pkcs8: Buffer,
  { passphrase, context }: { readonly passphrase: string; readonly context: string },
): Promise<SealedKey> {
  const parameters = newPassphraseParameters(systemRandom);
  const aad = Buffer.from(context);
  const sealing = { passphrase, parameters, aad, random: systemRandom };
  const box = await sealByPassphrase(pkcs8, sealing);
  return { kdf: { ...parameters }, box: box.toString('base64') };
}

/** Opens a sealed key: PKCS#8 in DER. @throws Fault `E_CRYPTO_SIGNER_KEY` */
export async function openSealedKey(
  sealed: SealedKey,
  { passphrase, context }: { readonly passphrase: string; readonly context: string },
): Promise<Buffer> {
  const parameters = PassphraseParametersSchema.safeParse(sealed.kdf);
  if (!parameters.success) throw signerKeyFault();
  const aad = Buffer.from(context);
  try {
    const box = Buffer.from(sealed.box, 'base64');
    return await openByPassphrase(box, { passphrase, parameters: parameters.data, aad });
  } catch (cause) {
    if (cause instanceof Fault) throw signerKeyFault(cause);
    throw cause;
  }
}

function contextOf(keyId: string): string {
  return `holdfast/signer-key/v1/${keyId}`;
}

/** The passphrase is wrong, or the file was changed. */
export function signerKeyFault(cause?: unknown): Fault {
  return new Fault({
    code: 'E_CRYPTO_SIGNER_KEY',
    what: 'The passphrase does not open this key, or its file was changed.',
    fix: 'Type it again; mind the keyboard layout. If it is lost: holdfast fw key rotate',
    cause,
  });
}
