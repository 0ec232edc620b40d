/** What devices are answered: never why, and never more than they have to do next. @module */
import type { RefusalCode } from '@holdfast/protocol';
import type { ApiError } from '@holdfast/protocol/api';

/** What became of the messages of one request. */
export interface Outcome {
  /** Messages that are stored for good. */
  readonly accepted: number;
  /** Numbers of the lines that were refused, from 1; a single message is line 1. */
  readonly refused: readonly number[];
}

/** All of it is durable, or it is told what is not. */
export function answerOutcome({ accepted, refused }: Outcome): Response {
  if (refused.length === 0) return json(200, { accepted });
  return json(422, { accepted, refused });
}

/** Whoever shows no good certificate, or no good API key: the same, whatever is wrong. */
export function answerUnidentified(): Response {
  const error = {
    code: 'E_OPERATE_UNAUTHENTICATED',
    message: 'No certificate, or no API key, that is accepted was shown.',
    fix: 'Show client.crt with client.key of the device, and its API key if its class asks for one.',
  };
  return json(401, { error } satisfies ApiError, { connection: 'close' });
}

/** A device that is another's, one that is not there, and a path that is none. */
export function answerNotFound(): Response {
  return failed(404, 'E_OPERATE_NOT_FOUND', 'Send to /v1/d/<device id>/telemetry, your own id.');
}

/** The path is right. RFC 9110 §15.5.6 */
export function answerMethod(): Response {
  return failed(405, 'E_OPERATE_METHOD', 'Use POST.', { allow: 'POST' });
}

/** The body is in no form that is taken. */
export function answerForm(fix: string): Response {
  return failed(415, 'E_INGEST_INPUT', fix, { connection: 'close' });
}

/** The body is larger than it may be. What is left of it is not read. */
export function answerSize(fix: string): Response {
  return failed(413, 'E_INGEST_SIZE', fix, { connection: 'close' });
}

/** More than its class may send. RFC 6585 §4 */
export function answerRate(retryAfterS: number): Response {
  const headers = { 'retry-after': String(retryAfterS) };
  return failed(429, 'E_SESSION_RATE', 'Wait as long as Retry-After says, then go on.', headers);
}

/** It cannot be stored now. Some of it may be all the same: the repetition of that is refused. */
export function answerUnavailable(retryAfterS: number): Response {
  const headers = { 'retry-after': String(retryAfterS) };
  return failed(503, 'E_JOURNAL_UNAVAILABLE', 'Send the same again after Retry-After.', headers);
}

/** The disk is nearly full, and nothing of it was looked at. RFC 4918 §11.5 */
export function answerFull(retryAfterS: number): Response {
  const headers = { 'retry-after': String(retryAfterS) };
  return failed(507, 'E_JOURNAL_DISK_FULL', 'Send the same again after Retry-After.', headers);
}

function failed(
  status: number,
  code: RefusalCode,
  fix: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const error = { code, message: MESSAGES[status] ?? '', fix };
  return json(status, { error } satisfies ApiError, headers);
}

function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const always = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  return new Response(`${JSON.stringify(body)}\n`, { status, headers: { ...always, ...headers } });
}

const MESSAGES: Readonly<Record<number, string>> = {
  404: 'There is no such thing.',
  405: 'The path exists, but not with this method.',
  413: 'The request is larger than the limit.',
  415: 'The request is in no form that is taken.',
  429: 'Too much at a time.',
  503: 'The server cannot store this now.',
  507: 'The disk of the server is nearly full.',
};
