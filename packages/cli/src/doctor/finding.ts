/** What a check of the installation finds. @module */

/** `unknown` is what could not be looked at: it is neither good nor bad. */
export type Level = 'good' | 'warn' | 'bad' | 'unknown';

/** One result. */
export interface Finding {
  /** Which check found it, such as `clock`. */
  readonly check: string;
  readonly level: Level;
  /** What is so, one line. */
  readonly what: string;
  /** What it means; good ones need none. */
  readonly why?: string | undefined;
  /** The next step. */
  readonly fix?: string | undefined;
}

/** What it means, and the next step. */
export interface Advice {
  readonly why: string;
  readonly fix: string;
}

export function good(check: string, what: string): Finding {
  return { check, level: 'good', what };
}

export function warn(check: string, what: string, advice: Advice): Finding {
  return { check, level: 'warn', what, ...advice };
}

export function bad(check: string, what: string, advice: Advice): Finding {
  return { check, level: 'bad', what, ...advice };
}

export function unknown(check: string, what: string, advice: Advice): Finding {
  return { check, level: 'unknown', what, ...advice };
}
