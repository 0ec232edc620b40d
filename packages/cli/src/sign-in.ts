/** How a person signs in at a terminal: the password, and then the second factor. @module */
import type { Client, SignedIn } from '@holdfast/client';
import { PASSWORD_LENGTH } from '@holdfast/protocol/api';
import { Failure } from './failure.ts';
import type { Input, World } from './world.ts';

/** What a person signs in with. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Gives the code of the second factor, where it is not to be asked for. */
  readonly askFactor?: (() => Promise<string>) | undefined;
}

/** Signs in with name and password, and the second factor where there is one. */
export async function completeSignIn(
  { input }: Pick<World, 'input'>,
  client: Client,
  { name, password, askFactor }: Credentials,
): Promise<SignedIn> {
  const step = await client.signIn({ name, password });
  if (!('pending' in step)) return step;
  const isApp = step.methods.includes('totp');
  const question = isApp ? 'Code of your authenticator app (or a recovery code): ' : RECOVERY;
  const code = askFactor === undefined ? await input.ask(question) : await askFactor();
  return client.completeSignIn({ pending: step.pending, code: code.trim() });
}

/** Asks for a new password, twice. @throws Failure `E_CLI_PASSWORD`. */
export async function askNewPassword(input: Input): Promise<string> {
  const password = await input.askHidden('Password: ');
  const { min, max } = PASSWORD_LENGTH;
  if (password.length < min || password.length > max) {
    throw new Failure('E_CLI_PASSWORD', {
      what: `A password has ${min} to ${max} characters; this one has ${password.length}.`,
      why: 'Short ones are guessed; very long ones cost the server more than they protect.',
      fix: 'Take four or five words that nobody would guess together.',
    });
  }
  if ((await input.askHidden('Once more: ')) === password) return password;
  throw new Failure('E_CLI_PASSWORD', {
    what: 'The two passwords are not the same.',
    why: 'A password with a slip of the finger would lock you out.',
    fix: 'Run the command again.',
  });
}

const RECOVERY = 'A recovery code (or use your passkey on the page /sign-in): ';
