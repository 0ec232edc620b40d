/** Whose key signs: of a sealed file, or of a token that a key file names. @module */
import { type Signer, type SignerKeyFile, keyOf, readSignerKeyFile } from '@holdfast/firmware';
import type { SECRET_OPTIONS } from '../commands/custody-options.ts';
import { pinSource } from '../commands/token-options.ts';
import { readSecret, readSecretFile } from '../secret-source.ts';
import type { World } from '../world.ts';
import { accepted } from './accepted.ts';

/** How the secret of a key is given; without these it is asked for. */
export type KeySecrets = Readonly<Partial<Record<keyof typeof SECRET_OPTIONS, string | undefined>>>;

/** Reads a key file, without opening the key. */
export function readKeyFile(path: string): SignerKeyFile {
  return accepted(readSignerKeyFile(readSecretFile(path)), path);
}

/** Opens the key of a file, calls `act` with it, and closes it. */
export async function withSigner<T>(
  world: World,
  { path, file, secrets }: { path: string; file: SignerKeyFile; secrets: KeySecrets },
  act: (signer: Signer) => Promise<T>,
): Promise<T> {
  if (file.token === undefined) {
    const passphrase = await askPassphrase(world, secrets, `Passphrase of ${path}: `);
    const { openSignerKey } = await world.server();
    return act(await openSignerKey(file, passphrase));
  }
  const { openTokenSigner } = await world.device();
  const pin = pinSource(world, secrets);
  const token = await openTokenSigner({ ...file.token, pin });
  try {
    return await act({ key: keyOf(token.publicKey), sign: (data) => token.sign(data) });
  } finally {
    token.close();
  }
}

/** Asks for a passphrase in the way that was named. */
export function askPassphrase(
  world: World,
  secrets: KeySecrets,
  question: string,
): Promise<string> {
  const source = {
    what: 'passphrase',
    fd: { option: 'passphrase-fd', value: secrets['passphrase-fd'] },
    file: { option: 'passphrase-file', value: secrets['passphrase-file'] },
  };
  return readSecret(world, source, question);
}
