/** Custody by a passphrase that a person knows: argon2id (RFC 9106), then AES-256-GCM. @module */
import { argon2 } from 'node:crypto';
import { z } from 'zod';
import { Fault, type RandomBytes, Secret, type SecretBytes } from '../kernel/index.ts';
import { open, seal } from './aead.ts';
import {
  UNSEAL_KEY_BYTES,
  type UnsealCustody,
  asUnsealKey,
  unsealContext,
} from './unseal-custody.ts';

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

/** What the custody needs. */
export interface PassphraseCustodyOptions {
  readonly folderId: string;
  readonly parameters: PassphraseParameters;
  /** Asks for the passphrase. */
  readonly ask: () => Promise<string>;
  readonly random: RandomBytes;
}

/** Wraps the unseal key under a passphrase. What is wrong about a passphrase shows at `unwrap`. */
export function passphraseCustody(options: PassphraseCustodyOptions): UnsealCustody {
  const { folderId, parameters, ask, random } = options;
  const aad = Buffer.from(unsealContext('passphrase', folderId));
  return {
    name: 'passphrase',
    async wrap(key) {
      const wrapping = await deriveFrom(await ask(), parameters);
      return seal(key.expose(), { key: wrapping.expose(), aad, random }).toString('base64');
    },
    async unwrap(wrapped) {
      const wrapping = await deriveFrom(await ask(), parameters);
      const sealed = Buffer.from(wrapped, 'base64');
      return asUnsealKey(openWith(wrapping, sealed, aad), 'The passphrase');
    },
  };
}

function openWith(wrapping: SecretBytes, sealed: Uint8Array, aad: Uint8Array): Buffer {
  try {
    return open(sealed, { key: wrapping.expose(), aad });
  } catch (cause) {
    throw new Fault({
      code: 'E_CRYPTO_PASSPHRASE',
      what: 'The passphrase does not open this data folder.',
      fix: 'Type it again; mind the keyboard layout. If it is lost: holdfast keys recover',
      cause,
    });
  }
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
      tagLength: UNSEAL_KEY_BYTES,
    },
    (error, derived) => {
      if (error === null) resolve(new Secret(derived));
      else reject(error);
    },
  );
  return promise;
}

const SALT_BYTES = 16;
