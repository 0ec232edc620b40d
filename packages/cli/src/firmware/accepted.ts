/** What `@holdfast/firmware` refuses, as the command line says it. @module */
import { REFUSAL_CODES, Refusal } from '@holdfast/protocol';
import { Failure } from '../failure.ts';

/** The result, or the refusal as a failure. @param about - what was looked at: a file, a request. */
export function accepted<T>(result: T | Refusal, about: string): T {
  if (!(result instanceof Refusal)) return result;
  const { what, fix } = REFUSAL_CODES[result.code];
  throw new Failure(result.code, { what: `${about}: ${what}`, why: result.detail, fix });
}
