/** A response of server-sent events as an iterable of parsed entries. @module */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { ApiError } from './api-error.ts';
import { EventParser } from './event-parser.ts';
import { STREAM_SILENCE_MS_MAX } from './limits.ts';
import { notTheApi, parseJson } from './transport.ts';

/** Events of which type, and the shape of their data. */
export interface EventKind<T> {
  readonly type: string;
  readonly schema: z.ZodType<T>;
}

/**
 * Reads the events of one kind; other kinds are skipped, so that the server may add some.
 * @throws ApiError `E_CLIENT_UNREACHABLE` when the connection breaks or falls silent,
 * `E_CLIENT_RESPONSE` when an event has not the shape of the API.
 */
export async function* readEvents<T>(
  response: IncomingMessage,
  { type, schema }: EventKind<T>,
): AsyncGenerator<T, void, undefined> {
  const parser = new EventParser();
  response.setTimeout(STREAM_SILENCE_MS_MAX, () => response.destroy(new Error('silence')));
  try {
    for await (const chunk of chunksOf(response)) {
      for (const event of parser.push(chunk)) {
        if (event.type === type) yield parseAs(schema, event.data);
      }
    }
  } finally {
    response.destroy();
  }
}

/** Reads JSON text of a shape. @throws ApiError `E_CLIENT_RESPONSE`. */
export function parseAs<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw notTheApi('an answer has not the expected form', parsed.error);
}

async function* chunksOf(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) if (chunk instanceof Uint8Array) yield chunk;
  } catch (error) {
    throw new ApiError({
      code: 'E_CLIENT_UNREACHABLE',
      message: 'The connection to the server was lost.',
      fix: 'Check that the server runs, and the network.',
      cause: error,
    });
  }
}
