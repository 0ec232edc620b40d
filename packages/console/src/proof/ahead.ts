/** Answers of WebCrypto, which come later, for code that asks at once. @module */

/**
 * The first run of the code only notes what it asks; after {@link settle}, the second one gets the
 * answers. What was not noted is answered with no.
 */
export class Ahead {
  readonly #asked = new Map<string, () => Promise<boolean>>();
  readonly #answers = new Map<string, boolean>();
  #isSettled = false;

  /** Before all is settled, yes, so that the code goes on to all of its questions. */
  ask(key: string, answer: () => Promise<boolean>): boolean {
    if (this.#isSettled) return this.#answers.get(key) ?? false;
    this.#asked.set(key, answer);
    return true;
  }

  async settle(): Promise<void> {
    for (const [key, answer] of this.#asked) this.#answers.set(key, await answer());
    this.#isSettled = true;
  }
}
