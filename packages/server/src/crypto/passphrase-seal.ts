/** Sealing by a passphrase that a person knows: argon2id (RFC 9106), then AES-256-GCM. @module */
import { argon2 } from 'node:crypto';
import { z } from 'zod';
import { type RandomBytes, Secret, type SecretBytes } from '../kernel/index.ts';
import { open, seal } from './aead.ts';

/**
 * How a passphrase becomes a key. The bounds keep a file that was changed from asking for less
 * work than is safe, or for more than the machine has.
 */
export const PassphraseParametersSchema = z.object({
  algorithm: z.literal('argon2id'),
  memoryKiB: z.int().min(65_536).max(1_048_576),
  passes: z.int().min(3).max(16),
  parallelism: z.int().min(1).max(16),
  /** 16 bytes in hex. */
  salt: z.string().regex(/^[0-9a-f]{32}$/u),
});
export type PassphraseParameters = Readonly<z.infer<typeof PassphraseParametersSchema>>;

/** The second of the recommended sets of RFC 9106 §4, and the salt for it. */
export function newPassphraseParameters(random: RandomBytes): PassphraseParameters {
  const salt = Buffer.from(random(SALT_BYTES)).toString('hex');
  return { algorithm: 'argon2id', memoryKiB: 65_536, passes: 3, parallelism: 4, salt };
}

/** What a sealing by a passphrase belongs to. */
export interface PassphraseContext {
  readonly passphrase: string;
  readonly parameters: PassphraseParameters;
  /** What the sealed bytes belong to, so that they open nowhere else. */
  readonly aad: Uint8Array;
}

/** Seals bytes under a passphrase. */
export async function sealByPassphrase(
  plaintext: Uint8Array,
  { passphrase, parameters, aad, random }: PassphraseContext & { readonly random: RandomBytes },
): Promise<Buffer> {
  const key = await deriveFrom(passphrase, parameters);
  return seal(plaintext, { key: key.expose(), aad, random });
}

/**
 * Opens what {@link sealByPassphrase} made.
 * @throws Fault `E_CRYPTO_OPEN` when the passphrase, the context or a byte differs.
 */
export async function openByPassphrase(
  sealed: Uint8Array,
  { passphrase, parameters, aad }: PassphraseContext,
): Promise<Buffer> {
  const key = await deriveFrom(passphrase, parameters);
  return open(sealed, { key: key.expose(), aad });
}

function deriveFrom(passphrase: string, parameters: PassphraseParameters): Promise<SecretBytes> {
  const { promise, resolve, reject } = Promise.withResolvers<SecretBytes>();
  argon2(
    parameters.algorithm,
    {
      // Keyboards differ in how they compose a letter; the person typed the same passphrase.
      message: Buffer.from(passphrase.normalize('NFKC'), 'utf8'),
      nonce: Buffer.from(parameters.salt, 'hex'),
      memory: parameters.memoryKiB,
      passes: parameters.passes,
      parallelism: parameters.parallelism,
      tagLength: KEY_BYTES,
    },
    (error, derived) => {
      if (error === null) resolve(new Secret(derived));
      else reject(error);
    },
  );
  return promise;
}

const SALT_BYTES = 16;
const KEY_BYTES = 32;
