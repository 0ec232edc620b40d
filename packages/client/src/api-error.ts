/** The one error of the client. @module */

/** What is known of a failed request. */
export interface ApiErrorText {
  /** Refusal code of the server, or `E_CLIENT_…`. */
  readonly code: string;
  readonly message: string;
  /** The next step, for a person. */
  readonly fix: string;
  /** HTTP status; undefined when there was no answer. */
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/**
 * A request that did not succeed: refused by the server (`E_OPERATE_…` and others), or one of
 * `E_CLIENT_UNREACHABLE` (no answer), `E_CLIENT_UNTRUSTED` (the server is not the one that the
 * trust anchor vouches for) and `E_CLIENT_RESPONSE` (an answer that is none of the API).
 */
export class ApiError extends Error {
  readonly code: string;
  readonly fix: string;
  readonly status: number | undefined;

  constructor({ code, message, fix, status, cause }: ApiErrorText) {
    super(message, { cause });
    this.name = 'ApiError';
    this.code = code;
    this.fix = fix;
    this.status = status;
  }
}
