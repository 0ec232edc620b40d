/**
 * The public part of a TPM's attestation key.
 * @see TPM 2.0 Library, Part 2, §8.3 (object attributes) and §12.2 (TPMT_PUBLIC)
 * @module
 */
import { type KeyObject, createHash, createPublicKey } from 'node:crypto';
import { type ByteReader, Malformed, readWhole } from './byte-reader.ts';
import { RSA_BITS_MIN, TPM_BYTES_MAX } from './limits.ts';
import { TPM_ALG, TPM_ECC_P256 } from './tpm-codes.ts';

/** A key that signs nothing but what its TPM itself has measured. */
export interface AttestationKey {
  readonly publicKey: KeyObject;
  readonly scheme: 'ecdsa-p256-sha256' | 'rsassa-sha256';
  /** The TPM's own name of it: `nameAlg ‖ SHA-256(TPMT_PUBLIC)`, 34 bytes. */
  readonly name: Uint8Array;
}

/**
 * Reads a `TPMT_PUBLIC`, or a `TPM2B_PUBLIC` as tools write it.
 * @returns the key, or why it is none that can vouch for a boot.
 */
export function readAttestationKey(bytes: Uint8Array): AttestationKey | string {
  const area = withoutLength(bytes);
  const found = readWhole(area, { order: 'big', bytesMax: TPM_BYTES_MAX }, readPublic);
  if (found === undefined) return 'no TPMT_PUBLIC of a P-256 or RSA key';
  const { attributes, nameAlg } = found;
  // Only a restricted key refuses to sign what merely looks like a quote.
  if ((attributes & MUST_BE_SET) >>> 0 !== MUST_BE_SET) return 'no restricted signing key of a TPM';
  if ((attributes & MUST_BE_CLEAR) !== 0) return 'a key that also decrypts, or can be duplicated';
  if (nameAlg !== TPM_ALG.sha256) return 'a key whose name is not made by SHA-256';
  if (typeof found.key === 'string') return found.key;
  const digest = createHash('sha256').update(area).digest();
  return { ...found.key, name: Buffer.concat([NAME_BY_SHA256, digest]) };
}

function withoutLength(bytes: Uint8Array): Uint8Array {
  const isSized = bytes.length > 2 && bytes[0] === (bytes.length - 2) >> 8;
  return isSized && bytes[1] === ((bytes.length - 2) & 0xff) ? bytes.subarray(2) : bytes;
}

type Signing = Pick<AttestationKey, 'publicKey' | 'scheme'>;

function readPublic(reader: ByteReader) {
  const type = reader.u16();
  const nameAlg = reader.u16();
  const attributes = reader.u32();
  // The policy under which the key may be used says nothing of where it lives.
  reader.sized();
  if (reader.u16() !== TPM_ALG.null) throw new Malformed('a signing key has no symmetric part');
  const scheme = reader.u16();
  const hash = scheme === TPM_ALG.null ? undefined : reader.u16();
  if (type === TPM_ALG.ecc) return { nameAlg, attributes, key: readEcc(reader, { scheme, hash }) };
  if (type === TPM_ALG.rsa) return { nameAlg, attributes, key: readRsa(reader, { scheme, hash }) };
  throw new Malformed('another kind of key');
}

interface Scheme {
  readonly scheme: number;
  readonly hash: number | undefined;
}

function readEcc(reader: ByteReader, { scheme, hash }: Scheme): Signing | string {
  const curve = reader.u16();
  if (reader.u16() !== TPM_ALG.null) throw new Malformed('a derivation in a signing key');
  const [x, y] = [reader.sized(), reader.sized()];
  if (curve !== TPM_ECC_P256 || scheme !== TPM_ALG.ecdsa || hash !== TPM_ALG.sha256) {
    return 'an elliptic key for anything but ECDSA with P-256 and SHA-256';
  }
  if (x.length > 32 || y.length > 32) throw new Malformed('a coordinate is too long');
  const jwk = { kty: 'EC', crv: 'P-256', x: coordinate(x), y: coordinate(y) };
  const publicKey = keyOf(jwk);
  return publicKey === undefined ? 'a point beside its curve' : { publicKey, scheme: ECDSA };
}

function readRsa(reader: ByteReader, { scheme, hash }: Scheme): Signing | string {
  const bits = reader.u16();
  const exponent = reader.u32();
  const modulus = reader.sized();
  if (scheme !== TPM_ALG.rsassa || hash !== TPM_ALG.sha256) {
    return 'an RSA key for anything but RSASSA with SHA-256';
  }
  if (bits < RSA_BITS_MIN || modulus.length * 8 !== bits || (modulus[0] ?? 0) < 0x80) {
    return `an RSA key of less than ${RSA_BITS_MIN} bits, or of another length than it says`;
  }
  // 0 stands for 65537. Part 2, §12.2.3.5
  if (exponent !== 0 && exponent !== RSA_EXPONENT) return 'an RSA key with another exponent';
  const n = Buffer.from(modulus).toString('base64url');
  const publicKey = keyOf({ kty: 'RSA', n, e: 'AQAB' });
  return publicKey === undefined ? 'no RSA key' : { publicKey, scheme: 'rsassa-sha256' };
}

function keyOf(jwk: Record<string, string>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function coordinate(bytes: Uint8Array): string {
  const full = Buffer.alloc(32);
  full.set(bytes, 32 - bytes.length);
  return full.toString('base64url');
}

const ECDSA = 'ecdsa-p256-sha256';
const RSA_EXPONENT = 65_537;
const NAME_BY_SHA256 = Buffer.from([0x00, TPM_ALG.sha256]);

/** fixedTPM, fixedParent, sensitiveDataOrigin, restricted, sign. */
const MUST_BE_SET = (1 << 1) | (1 << 4) | (1 << 5) | (1 << 16) | (1 << 18);
/** encryptedDuplication, decrypt. */
const MUST_BE_CLEAR = (1 << 11) | (1 << 17);
