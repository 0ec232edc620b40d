/** Custody by a passphrase that a person knows. @module */
import { Fault, type RandomBytes } from '../kernel/index.ts';
import {
  type PassphraseContext,
  type PassphraseParameters,
  openByPassphrase,
  sealByPassphrase,
} from './passphrase-seal.ts';
import { type UnsealCustody, asUnsealKey, unsealContext } from './unseal-custody.ts';

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
      const passphrase = await ask();
      const context = { passphrase, parameters, aad, random };
      return (await sealByPassphrase(key.expose(), context)).toString('base64');
    },
    async unwrap(wrapped) {
      const passphrase = await ask();
      const sealed = Buffer.from(wrapped, 'base64');
      return asUnsealKey(await openWith(sealed, { passphrase, parameters, aad }), 'The passphrase');
    },
  };
}

async function openWith(sealed: Uint8Array, context: PassphraseContext): Promise<Buffer> {
  try {
    return await openByPassphrase(sealed, context);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new Fault({
      code: 'E_CRYPTO_PASSPHRASE',
      what: 'The passphrase does not open this data folder.',
      fix: 'Type it again; mind the keyboard layout. If it is lost: holdfast keys recover',
      cause,
    });
  }
}
