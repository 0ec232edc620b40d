/** The verification of the log of a server that runs, followed line by line. @module */
import { createInterface } from 'node:readline';
import {
  type VerificationLine,
  VerificationLineSchema,
  type VerifiedLog,
  type VerifyLogRequest,
} from '@holdfast/protocol/api';
import { ApiError } from './api-error.ts';
import { STREAM_SILENCE_MS_MAX } from './limits.ts';
import { type Transport, notTheApi, parseJson } from './transport.ts';

/** How a verification is followed. */
export interface VerifyLogOptions {
  readonly onProgress?: ((progress: { done: number; size: number }) => void) | undefined;
  /** Cancels it, here and on the server. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks for a verification and waits for its end. */
export async function verifyLog(
  transport: Transport,
  request: VerifyLogRequest,
  { onProgress = () => {}, signal }: VerifyLogOptions = {},
): Promise<VerifiedLog> {
  const silence = new AbortController();
  const signals = signal === undefined ? [silence.signal] : [silence.signal, signal];
  const body = { method: 'POST', path: '/v1/audit/verifications', body: request } as const;
  const response = await transport.openLines(body, AbortSignal.any(signals));
  const stop = (): void => silence.abort(notTheApi('it fell silent'));
  let timer = setTimeout(stop, STREAM_SILENCE_MS_MAX);
  try {
    for await (const text of createInterface({ input: response })) {
      clearTimeout(timer);
      timer = setTimeout(stop, STREAM_SILENCE_MS_MAX);
      const line = parseLine(text);
      if ('report' in line) return line.report;
      if ('failed' in line) throw failed(line.failed);
      onProgress(line);
    }
  } catch (error) {
    // Of a connection that was let go on purpose, the purpose is the reason.
    AbortSignal.any(signals).throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
  throw notTheApi('the verification ended without a result');
}

function parseLine(text: string): VerificationLine {
  const parsed = VerificationLineSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw notTheApi('a line of it is none of a verification');
}

function failed(why: string): ApiError {
  return new ApiError({
    code: 'E_CLIENT_NOT_VERIFIED',
    message: `The log could not be verified: ${why}.`,
    fix: 'Stop the server, and run: holdfast audit verify --data <its data folder>.',
  });
}
