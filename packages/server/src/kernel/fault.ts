/** What is thrown when the world fails, as opposed to a {@link Refusal}, which a peer gets. @module */

/** The text that a person at the terminal needs: what failed, why, and how to fix it. */
export interface FaultText {
  /** Stable code, `E_<LAYER>_<CONDITION>`. */
  readonly code: string;
  readonly what: string;
  readonly fix: string;
  readonly cause?: unknown;
}

/** A failure of the machine, the disk or the configuration. Its message is fit for the operator. */
export class Fault extends Error {
  readonly code: string;
  readonly fix: string;

  constructor({ code, what, fix, cause }: FaultText) {
    super(what, { cause });
    this.name = 'Fault';
    this.code = code;
    this.fix = fix;
  }
}

/** The code of a Node or system error (`EADDRINUSE`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
