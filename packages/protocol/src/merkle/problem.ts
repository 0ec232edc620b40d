/** Why a text is not accepted. @module */

/** A text that is not what it should be: returned, never thrown, for a person to read. */
export class Problem {
  /** What is wrong, without the text's content. */
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}
