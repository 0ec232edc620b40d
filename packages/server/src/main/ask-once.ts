/** Asks for what opens the keys once, however often they are opened. @module */
import type { AskSecrets } from './keepers.ts';

export type { AskSecrets } from './keepers.ts';

/** As the given one, but an answer is remembered until the command ends. */
export function askedOnce({ askPin, askPassphrase }: AskSecrets): AskSecrets {
  const answers = new Map<string, Promise<string>>();
  const once = (what: string, ask: () => Promise<string>): Promise<string> => {
    const answer = answers.get(what) ?? ask();
    answers.set(what, answer);
    return answer;
  };
  return {
    askPin: askPin && ((label) => once(`pin ${label}`, () => askPin(label))),
    askPassphrase: askPassphrase && ((which) => once(which, () => askPassphrase(which))),
  };
}
