/**
 * Wraps a secret so that only the TPM that holds both keys gives it out: the endorsement key, which
 * a manufacturer has certified, and the attestation key of the given name.
 * @see TPM 2.0 Library, Part 1, §24 (credential protection), §11.4.10 (KDFa, KDFe)
 * @module
 */
import {
  type KeyObject,
  constants,
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  publicEncrypt,
} from 'node:crypto';
import { RSA_BITS_MIN } from './limits.ts';

/** What the device hands to `TPM2_ActivateCredential`. */
export interface Credential {
  /** Content of the `TPM2B_ID_OBJECT`. */
  readonly idObject: Uint8Array;
  /** Content of the `TPM2B_ENCRYPTED_SECRET`. */
  readonly encryptedSecret: Uint8Array;
}

/**
 * Makes a credential for an endorsement key of the standard templates: RSA with 2,048 bits or P-256,
 * each with SHA-256 and AES-128 in CFB mode (TCG EK Credential Profile, templates L-1 and L-2).
 * @param options - `secret`: at most 32 bytes; `name` of the attestation key.
 * @returns undefined when the key is of another kind.
 */
export function makeCredential(
  endorsementKey: KeyObject,
  {
    secret,
    name,
    random,
  }: {
    readonly secret: Uint8Array;
    readonly name: Uint8Array;
    readonly random: (count: number) => Uint8Array;
  },
): Credential | undefined {
  if (secret.length > 32) throw new RangeError('a secret of more than 32 bytes');
  const shared = shareSeed(endorsementKey, random);
  if (shared === undefined) return undefined;
  const { seed, encryptedSecret } = shared;
  const symmetric = kdfa(seed, { label: 'STORAGE', context: name, bits: 128 });
  // A key that is used once: the specification fixes the zero vector.
  const cipher = createCipheriv('aes-128-cfb', symmetric, Buffer.alloc(16));
  const identity = Buffer.concat([cipher.update(sized(secret)), cipher.final()]);
  const integrity = kdfa(seed, { label: 'INTEGRITY', context: Buffer.alloc(0), bits: 256 });
  const outer = createHmac('sha256', integrity).update(identity).update(name).digest();
  return { idObject: Buffer.concat([sized(outer), identity]), encryptedSecret };
}

interface SharedSeed {
  readonly seed: Uint8Array;
  readonly encryptedSecret: Uint8Array;
}

function shareSeed(key: KeyObject, random: (count: number) => Uint8Array): SharedSeed | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength === RSA_BITS_MIN) {
    const seed = random(32);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const oaep = { padding, oaepHash: 'sha256', oaepLabel: Buffer.from(`${IDENTITY}\0`) };
    return withRsa(seed, { key, ...oaep });
  }
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1')
    return shareByEcdh(key, random);
  return undefined;
}

/** A modulus that is even, or another number that no key has, is found out only here. */
function withRsa(
  seed: Uint8Array,
  key: Parameters<typeof publicEncrypt>[0],
): SharedSeed | undefined {
  try {
    return { seed, encryptedSecret: publicEncrypt(key, seed) };
  } catch {
    return undefined;
  }
}

function shareByEcdh(key: KeyObject, random: (count: number) => Uint8Array): SharedSeed {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const [theirX, theirY] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(privateScalar(random));
  const ours = ecdh.getPublicKey();
  const [ourX, ourY] = [ours.subarray(1, 33), ours.subarray(33)];
  const z = ecdh.computeSecret(Buffer.concat([Buffer.of(4), theirX, theirY]));
  const info = Buffer.concat([Buffer.from(`${IDENTITY}\0`), ourX, theirX]);
  const seed = createHash('sha256').update(counter(1)).update(z).update(info).digest();
  return { seed, encryptedSecret: Buffer.concat([sized(ourX), sized(ourY)]) };
}

/** A number below the order of P-256: nearly each one of 32 random bytes is. */
function privateScalar(random: (count: number) => Uint8Array): Buffer {
  for (;;) {
    const scalar = Buffer.from(random(32));
    if (scalar.compare(P256_ORDER) < 0 && scalar.some((byte) => byte !== 0)) return scalar;
  }
}

function kdfa(
  key: Uint8Array,
  { label, context, bits }: { label: string; context: Uint8Array; bits: 128 | 256 },
): Buffer {
  const hmac = createHmac('sha256', key);
  hmac.update(counter(1)).update(`${label}\0`).update(context).update(counter(bits));
  return hmac.digest().subarray(0, bits / 8);
}

function counter(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sized(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const IDENTITY = 'IDENTITY';
const P256_ORDER = Buffer.from(
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'hex',
);
