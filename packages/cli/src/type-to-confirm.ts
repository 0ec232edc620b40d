/** Asks for a word before something is done that cannot easily be undone. @module */
import { Failure } from './failure.ts';
import { printable } from './printable.ts';
import type { World } from './world.ts';

/** What is asked. */
export interface Confirmation {
  /** What is about to happen, and what to type. */
  readonly question: string;
  /** What has to be typed. */
  readonly word: string;
  /** What did not happen when something else is typed. */
  readonly not?: string;
  readonly fix?: string;
}

/**
 * Asks for a word; whoever types another one has not confirmed.
 * @throws Failure `E_CLI_NOT_CONFIRMED`.
 */
export async function typeToConfirm(
  { input }: Pick<World, 'input'>,
  { question, word, not = 'Nothing was changed.', fix }: Confirmation,
): Promise<void> {
  const answer = (await input.ask(question)).trim();
  if (answer === word) return;
  throw new Failure('E_CLI_NOT_CONFIRMED', {
    what: not,
    why: `You typed "${printable(answer)}".`,
    fix: fix ?? `Type ${printable(word)} when asked, or give --yes.`,
  });
}

/** Asks for the id of the device of which all is about to be erased. */
export function typeToErase(
  world: Pick<World, 'input'>,
  { id, not }: { readonly id: string; readonly not: string },
): Promise<void> {
  const question = `This erases for good what ${printable(id)} has sent. Type its id to go on: `;
  return typeToConfirm(world, { question, word: id, not });
}
