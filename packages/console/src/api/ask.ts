/** Asks the API with the session of the browser. @module */
import type { ApiError } from '@holdfast/protocol/api';
import { Problem } from './problem.ts';

/** One request. */
export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
  readonly cache?: RequestCache;
}

/**
 * Asks, and gives what was answered as JSON; undefined for an answer without content. The answer
 * is of this server, over its TLS, and so of the shape that `T` says.
 * @throws Problem
 */
export async function ask<T = unknown>(path: string, options: AskOptions = {}): Promise<T> {
  const answer = await askResponse(path, options);
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

/**
 * The same for an answer that is text.
 * @throws Problem
 */
export async function askText(path: string, options: AskOptions = {}): Promise<string> {
  return (await askResponse(path, options)).text();
}

/**
 * The same for an answer that is read in another way: bytes, or line by line.
 * @throws Problem
 */
export async function askResponse(
  path: string,
  { method = 'GET', body, signal, cache = 'default' }: AskOptions = {},
): Promise<Response> {
  const hasBody = method === 'POST' || method === 'PUT';
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache,
      ...(hasBody && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body ?? {}),
      }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreachable();
  }
  if (!answer.ok) throw await refused(answer);
  return answer;
}

async function refused(answer: Response): Promise<Problem> {
  const body: unknown = await answer.json().catch(() => undefined);
  if (!isApiError(body)) return unreachable(answer.status);
  return new Problem({ ...body.error, status: answer.status });
}

/** Something in between, such as a proxy, may have answered in place of the server. */
function isApiError(body: unknown): body is ApiError {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'message' in error && 'fix' in error;
}

function unreachable(status = 0): Problem {
  return new Problem({
    code: 'unreachable',
    message: 'The server cannot be reached.',
    fix: 'Check the network; the page goes on by itself when the server answers again.',
    status,
  });
}
