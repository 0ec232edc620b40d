/** A private key in a file that a passphrase opens, in the form of every PKI tool. @module */
import { createCipheriv, createPrivateKey, scrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { RandomBytes, Secret } from '../kernel/index.ts';
import { octetString, smallInteger } from './der-values.ts';
import { SEQUENCE, element } from './der.ts';

/**
 * Encrypts a private key under a passphrase: PBES2 with scrypt and AES-256-CBC, in PEM. Node's own
 * export is not used: it derives with 2,048 rounds of PBKDF2, which is too little for a passphrase.
 * @param pkcs8 - the key, PKCS#8 in DER.
 * @see RFC 8018 §6.2, RFC 7914 §7, RFC 5958 §3
 */
export async function encryptPrivateKey(
  pkcs8: Secret<Uint8Array>,
  { passphrase, random }: { passphrase: Secret<string>; random: RandomBytes },
): Promise<string> {
  const salt = random(SALT_BYTES);
  const iv = random(IV_BYTES);
  const key = await derive(passphrase.expose(), salt, KEY_BYTES, SCRYPT);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(pkcs8.expose()), cipher.final()]);
  const der = Buffer.from(element(SEQUENCE, algorithm(salt, iv), octetString(encrypted)));
  const lines = der.toString('base64').replaceAll(/.{64}/gu, '$&\n').trimEnd();
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${lines}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}

/** Opens what this or another tool has encrypted; undefined when it does not open. */
export function decryptPrivateKey(pem: string, passphrase: Secret<string>): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase: passphrase.expose() });
  } catch {
    return undefined;
  }
}

function algorithm(salt: Uint8Array, iv: Uint8Array): Uint8Array {
  const costs = [SCRYPT.N, SCRYPT.r, SCRYPT.p].map(smallInteger);
  const derivation = element(SEQUENCE, ID_SCRYPT, element(SEQUENCE, octetString(salt), ...costs));
  const cipher = element(SEQUENCE, ID_AES_256_CBC, octetString(iv));
  return element(SEQUENCE, ID_PBES2, element(SEQUENCE, derivation, cipher));
}

const derive = promisify<string, Uint8Array, number, typeof SCRYPT, Buffer>(scrypt);

/** What OWASP recommends within the 32 MB that OpenSSL allows when it opens such a file. */
const SCRYPT = { N: 16_384, r: 8, p: 5 };
const SALT_BYTES = 16;
const IV_BYTES = 16;
const KEY_BYTES = 32;
/** 1.2.840.113549.1.5.13 */
const ID_PBES2 = Buffer.from('06092a864886f70d01050d', 'hex');
/** 1.3.6.1.4.1.11591.4.11 */
const ID_SCRYPT = Buffer.from('06092b06010401da47040b', 'hex');
/** 2.16.840.1.101.3.4.1.42 */
const ID_AES_256_CBC = Buffer.from('060960864801650304012a', 'hex');
