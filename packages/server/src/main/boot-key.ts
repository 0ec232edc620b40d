/** The key that signs images for boot loaders, sealed by a passphrase; used away from the server. @module */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { type BootKeyFile, type BootSigner, readBootKey } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { openSealedKey, sealKey, signerKeyFault } from './signer-key.ts';

/** Makes a key, RSA with 3,072 bits, and its file. @param options.name - 1 to 31 of `a-z 0-9 -` */
export async function makeBootKey({
  name,
  passphrase,
}: {
  readonly name: string;
  readonly passphrase: string;
}): Promise<BootKeyFile> {
  const pair = generateKeyPairSync('rsa', { modulusLength: 3_072, publicExponent: 65_537 });
  const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' });
  const pkcs8 = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
  const sealed = await sealKey(pkcs8, { passphrase, context: contextOf(publicKey) });
  return { type: 'holdfast-boot-key/1', name, publicKey, sealed };
}

/**
 * Opens the key of a file.
 * @throws Fault `E_CRYPTO_SIGNER_KEY` when the passphrase is wrong or the file was changed
 */
export async function openBootKey(file: BootKeyFile, passphrase: string): Promise<BootSigner> {
  const known = readBootKey(file.name, file.publicKey);
  if (known instanceof Refusal) throw signerKeyFault();
  const context = contextOf(file.publicKey);
  const der = await openSealedKey(file.sealed, { passphrase, context });
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  if (!createPublicKey(privateKey).equals(known.publicKey)) throw signerKeyFault();
  return { ...known, sign: async (bytes) => sign('sha256', bytes, privateKey) };
}

function contextOf(publicKey: string): string {
  return `holdfast/boot-key/v1/${publicKey}`;
}
