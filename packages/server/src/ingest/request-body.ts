/** The body of a request: which form it is in, read within its bound, taken apart. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { MessageProperties, UserProperty } from '@holdfast/protocol/mqtt';
import { BATCH_BYTES_MAX, BATCH_LINES_MAX, SINGLE_BYTES_MAX } from './limits.ts';

/** How a body is to be read. */
export interface BodyForm {
  readonly isBatch: boolean;
  readonly bytesMax: number;
  /** Those of every message in it. */
  readonly properties: MessageProperties;
}

/** The user properties of form 2 of signed payloads, as HTTP headers. */
const SIGNATURE_HEADERS: readonly (readonly [header: string, property: string])[] = [
  ['x-holdfast-sig', 'sig'],
  ['x-holdfast-kid', 'kid'],
  ['x-holdfast-ctr', 'ctr'],
  ['x-holdfast-ts', 'ts'],
];

/**
 * Which form a request is in: any bytes that are signed in the headers, one signed JSON object, or
 * one on each line. Refuses `E_INGEST_INPUT`.
 */
export function bodyFormOf(headers: Headers): BodyForm | Refusal {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    return refuse('E_INGEST_INPUT', `a body in the encoding ${encoding.slice(0, 32)}`);
  }
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const isBatch = type === 'application/x-ndjson';
  const userProperties = signatureOf(headers);
  if (userProperties.length > 0) {
    if (isBatch) return refuse('E_INGEST_INPUT', 'a batch that is signed in its headers');
    return { isBatch, bytesMax: SINGLE_BYTES_MAX, properties: { userProperties } };
  }
  if (isBatch) return { isBatch, bytesMax: BATCH_BYTES_MAX, properties: {} };
  if (type === 'application/json') return { isBatch, bytesMax: SINGLE_BYTES_MAX, properties: {} };
  return refuse('E_INGEST_INPUT', `a body of the type ${type.slice(0, 64)} without a signature`);
}

/** Takes the messages out of a body. Refuses `E_INGEST_SIZE` for too many, or `E_INGEST_INPUT`. */
export function payloadsOf(body: Uint8Array, { isBatch }: BodyForm): Uint8Array[] | Refusal {
  if (!isBatch) return [body];
  const lines: Uint8Array[] = [];
  for (let start = 0; start < body.length;) {
    if (lines.length >= BATCH_LINES_MAX) {
      return refuse('E_INGEST_SIZE', `more than ${BATCH_LINES_MAX} lines in a batch`);
    }
    const newline = body.indexOf(NEWLINE, start);
    const end = newline < 0 ? body.length : newline;
    const hasReturn = end > start && body[end - 1] === CARRIAGE_RETURN;
    lines.push(body.subarray(start, hasReturn ? end - 1 : end));
    start = end + 1;
  }
  if (lines.length === 0) return refuse('E_INGEST_INPUT', 'a batch without a line');
  return lines;
}

function signatureOf(headers: Headers): UserProperty[] {
  if (!headers.has('x-holdfast-sig')) return [];
  return SIGNATURE_HEADERS.flatMap(([header, property]) => {
    const value = headers.get(header);
    return value === null ? [] : [[property, value] as const];
  });
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
