/** Asks the server, with the cookie of this page if it has one. @module */
import { type AskOptions, ask, askText } from '../../api/ask.ts';
import { Problem } from '../../api/problem.ts';

/**
 * Asks as {@link ask} does, and tells an owner in words of theirs when there is no answer.
 * @throws Problem
 */
export function askServer<T = unknown>(path: string, options: AskOptions = {}): Promise<T> {
  return ask<T>(path, { ...options, cache: 'no-store' }).catch(inPlainerWords);
}

/** The same for an answer that is text. @throws Problem */
export function askServerText(path: string): Promise<string> {
  return askText(path, { cache: 'no-store' }).catch(inPlainerWords);
}

function inPlainerWords(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'unreachable') throw error;
  const { code, message, status } = error;
  const fix =
    'Check the network of this phone. The page goes on by itself when the server answers.';
  throw new Problem({ code, message, fix, status });
}
