/** The root as a file that is kept offline: its certificate, and its key under a passphrase. @module */
import { X509Certificate, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyHandle } from '../crypto/index.ts';
import { Fault, type Secret } from '../kernel/index.ts';
import { decryptPrivateKey } from './encrypted-key.ts';

/** An opened root. */
export interface OfflineRoot {
  readonly certificate: X509Certificate;
  readonly key: KeyHandle;
}

/**
 * Opens a root file: the encrypted key and the certificate, both in PEM, in any order.
 * @throws Fault `E_PKI_ROOT_FILE` when a part is missing, the passphrase is wrong, or the key is
 *   not the one of the certificate.
 */
export function openRootFile(text: string, passphrase: Secret<string>): OfflineRoot {
  const keyPem = KEY_BLOCK.exec(text)?.[0];
  const certificatePem = CERTIFICATE_BLOCK.exec(text)?.[0];
  if (keyPem === undefined || certificatePem === undefined) {
    throw fileFault('It must hold an encrypted private key and a certificate, both in PEM.');
  }
  const privateKey = decryptPrivateKey(keyPem, passphrase);
  if (privateKey === undefined) throw fileFault('Its key does not open: the passphrase is wrong.');
  const certificate = new X509Certificate(certificatePem);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw fileFault('Its key is not the one of its certificate.');
  }
  const key: KeyHandle = {
    algorithm: 'ES256',
    publicKey: createPublicKey(privateKey),
    sign: (data) => sign('sha256', data, privateKey),
  };
  return { certificate, key };
}

/** Proves to the server that a root file opens, before the server forgets the key. */
export function proveRoot({ key }: OfflineRoot, challenge: string): string {
  return Buffer.from(key.sign(proofText(challenge))).toString('base64');
}

/** Whether a proof was made with the key of the root, for this challenge. */
export function isRootProof(
  proof: string,
  { root, challenge }: { root: X509Certificate; challenge: string },
): boolean {
  return verify('sha256', proofText(challenge), root.publicKey, Buffer.from(proof, 'base64'));
}

/** Nothing else that the root signs begins like this: it is no DER. */
function proofText(challenge: string): Buffer {
  return Buffer.from(`holdfast/root-export/v1\0${challenge}`, 'utf8');
}

function fileFault(problem: string): Fault {
  return new Fault({
    code: 'E_PKI_ROOT_FILE',
    what: `The root file cannot be used. ${problem}`,
    fix: 'Give the file that holdfast ca export-root wrote, and the passphrase it was given then.',
  });
}

const KEY_BLOCK =
  /-----BEGIN ENCRYPTED PRIVATE KEY-----[\s\S]+?-----END ENCRYPTED PRIVATE KEY-----/u;
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/u;
