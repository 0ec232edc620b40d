/** What `login` asks of a person who has no second factor yet. @module */
import type { Client } from '@holdfast/client';
import type { Me } from '@holdfast/protocol/api';
import { renderUnicodeCompact } from 'uqr';
import { Failure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { askNewPassword } from '../sign-in.ts';
import type { World } from '../world.ts';

const TRIES = 3;

/**
 * Sets up an authenticator app, and first a password for whoever was invited. The first operator
 * may put it off; everybody else gets in only with it.
 * @throws Failure `E_CLI_SECOND_FACTOR` where there is nobody to ask.
 */
export async function setUpSecondFactor(world: World, client: Client, me: Me): Promise<void> {
  const { input, stderr } = world;
  const isRequired = me.needsSecondFactor === true;
  const { hasPassword, hasTotp, passkeys } = await client.factors();
  if (hasTotp || passkeys.length > 0) return;
  if (!input.isTty) {
    if (isRequired) throw noTerminal();
    stderr.write('You have no second factor yet: the next holdfast login asks you to add one.\n');
    return;
  }
  if (!hasPassword) {
    stderr.write('Choose a password.\n');
    await client.setPassword(await askNewPassword(input));
  }
  if (!isRequired && !(await isWanted(world))) {
    stderr.write('Not now. The next holdfast login asks again.\n');
    return;
  }
  await setUpApp(world, client);
}

async function isWanted({ input }: World): Promise<boolean> {
  const answer = await input.ask('Set up an authenticator app now, as your second factor? [Y/n] ');
  return !/^n/iu.test(answer.trim());
}

async function setUpApp(world: World, client: Client): Promise<void> {
  const { stdout, input } = world;
  const paint = paintFor(stdout);
  const { secret, uri } = await client.offerTotp();
  const code = renderUnicodeCompact(uri, { border: 2 }).split('\n').map(paint.lightOnDark);
  stdout.write(
    `Scan this with your authenticator app, or type the key ${paint.strong(printable(secret))}\n\n` +
      `${code.join('\n')}\n\n`,
  );
  for (let tries = 1; ; tries++) {
    const typed = (await input.ask('The six digits it shows: ')).replaceAll(/\s/gu, '');
    try {
      showRecoveryCodes(world, (await client.confirmTotp(typed)).recoveryCodes);
      return;
    } catch (error) {
      if (!isWrongCode(error) || tries === TRIES) throw error;
      world.stderr.write('That is not it. Wait for the next code, and check the clock.\n');
    }
  }
}

function showRecoveryCodes({ stdout }: World, codes: readonly string[]): void {
  if (codes.length === 0) return;
  stdout.write(
    `\nKeep these recovery codes where your phone is not. Each works once, and they are shown\n` +
      `only now:\n\n${codes.map((code) => `  ${printable(code)}\n`).join('')}\n`,
  );
}

function isWrongCode(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'E_OPERATE_SIGN_IN' || code === 'E_OPERATE_INPUT';
}

function noTerminal(): Failure {
  return new Failure('E_CLI_SECOND_FACTOR', {
    what: 'You have no second factor yet, and there is no terminal to set one up.',
    why: 'What sets it up, a code to scan and one to type, needs a terminal.',
    fix: 'Run holdfast login at a terminal, or open the page /sign-in of the server.',
  });
}
