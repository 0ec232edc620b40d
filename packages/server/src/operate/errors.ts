/** How a refusal becomes an HTTP answer: the one table of status codes. @module */
import { REFUSAL_CODES, Refusal, type RefusalCode, refuse } from '@holdfast/protocol';
import { type ApiError } from '@holdfast/protocol/api';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { DETAIL_CHARACTERS_MAX } from './limits.ts';

const STATUS_BY_CODE: Partial<Record<RefusalCode, ContentfulStatusCode>> = {
  E_ENROLL_PAIR: 403,
  E_ENROLL_PAIR_USED: 403,
  E_ENROLL_RATE: 429,
  E_OPERATE_UNAUTHENTICATED: 401,
  E_OPERATE_SIGN_IN: 401,
  E_OPERATE_OIDC: 401,
  E_OPERATE_FORBIDDEN: 403,
  E_OPERATE_SECOND_PERSON: 403,
  E_POLICY_LOCKOUT: 409,
  E_OPERATE_SECOND_FACTOR: 403,
  E_OPERATE_STEP_UP: 403,
  E_OPERATE_NOT_FOUND: 404,
  E_OPERATE_METHOD: 405,
  E_OPERATE_CONFLICT: 409,
  E_AUDIT_BEHIND_WITNESS: 409,
  E_BUCKETS_RISK: 409,
  E_OPERATE_BACKUP: 502,
  E_OPERATE_SIZE: 413,
  E_OPERATE_RATE: 429,
  E_JOURNAL_UNAVAILABLE: 503,
};

/** Codes of which the caller learns no more than the code says. */
const SILENT_CODES: ReadonlySet<RefusalCode> = new Set([
  'E_ENROLL_PAIR',
  'E_ENROLL_RATE',
  'E_OPERATE_UNAUTHENTICATED',
  'E_OPERATE_SIGN_IN',
  'E_OPERATE_OIDC',
  'E_OPERATE_RATE',
]);

/** Carries a refusal from where it is found to the edge. */
export class RefusedRequest extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** A request that does not fit what is there. */
export function conflict(detail: string): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
}

/** The value, or the request ends with the refusal. */
export function accepted<T>(value: T | Refusal): T {
  if (value instanceof Refusal) throw new RefusedRequest(value);
  return value;
}

/** Status and body for a refusal. */
export function answerTo(refusal: Refusal): { status: ContentfulStatusCode; body: ApiError } {
  const code = shownCode(refusal.code);
  const { what, fix } = REFUSAL_CODES[code];
  const detail = refusal.detail.slice(0, DETAIL_CHARACTERS_MAX);
  const message = SILENT_CODES.has(code) ? what : `${what} ${detail}`;
  return { status: STATUS_BY_CODE[code] ?? 400, body: { error: { code, message, fix } } };
}

/**
 * A forged request learns nothing of the session that it rode on, not even that there is one; and
 * whoever shows a used pairing code, not that it was right once.
 */
function shownCode(code: RefusalCode): RefusalCode {
  if (code === 'E_ENROLL_PAIR_USED') return 'E_ENROLL_PAIR';
  return code === 'E_OPERATE_CROSS_SITE' ? 'E_OPERATE_UNAUTHENTICATED' : code;
}
