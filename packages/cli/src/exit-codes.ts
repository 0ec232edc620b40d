/** What the exit codes of the command say, for people. @module */
import { EXIT } from './failure.ts';

/** Not chosen by us: what shells make of it. */
export const SIGNAL_TEXT = 'A command that a signal ends has 128 and its number, as Ctrl-C: 130.';

/** In the order of their numbers. */
export const EXIT_CODE_TEXTS: readonly { readonly code: number; readonly text: string }[] = [
  { code: EXIT.ok, text: 'It was done; of status and doctor: nothing is wrong.' },
  {
    code: EXIT.failed,
    text: 'It was not done, or what was checked is not as it should be: audit verify, policy test …',
  },
  { code: EXIT.usage, text: 'The command line is wrong; nothing was done.' },
  { code: EXIT.unreachable, text: 'The server cannot be reached, or nobody is logged in to one.' },
  { code: EXIT.trouble, text: 'status and doctor: something is wrong with the server.' },
];
