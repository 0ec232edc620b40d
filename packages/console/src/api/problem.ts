/** What the API refused, in its own words. @module */

/** A refusal of the API, or a failure to reach it. */
export class Problem extends Error {
  /** `E_OPERATE_…`, or `unreachable`. */
  readonly code: string;
  readonly fix: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;

  constructor({ code, message, fix, status }: ProblemFacts) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.fix = fix;
    this.status = status;
  }
}

/** What a problem is made of. */
export interface ProblemFacts {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly status: number;
}

/** Makes a problem of whatever was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({
    code: 'defect',
    message: `The page failed: ${error instanceof Error ? error.message : String(error)}.`,
    fix: 'Load it again; if it stays, tell it to whoever runs this server.',
    status: 0,
  });
}
