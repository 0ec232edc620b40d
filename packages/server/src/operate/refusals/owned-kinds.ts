/** What a refusal comes to for the owner of the device. @module */
import type { RefusalCode } from '@holdfast/protocol';
import type { OwnedRefusalKind } from '@holdfast/protocol/api';

const KINDS: Readonly<Partial<Record<RefusalCode, OwnedRefusalKind>>> = {
  E_VERIFY_SIG: 'altered',
  E_VERIFY_SIG_FORM: 'altered',
  E_VERIFY_SIG_MISSING: 'altered',
  E_VERIFY_KID: 'altered',
  E_VERIFY_DUPLICATE_KEY: 'altered',
  E_VERIFY_REPLAY: 'repeated',
  E_VERIFY_STALE: 'wrong-time',
  E_VERIFY_FUTURE: 'wrong-time',
  E_VERIFY_TIME_FORM: 'wrong-time',
  E_AUTHORIZE_PUBLISH: 'not-permitted',
  E_AUTHORIZE_SUBSCRIBE: 'not-permitted',
  E_SESSION_CLIENT_ID: 'not-permitted',
  E_UPDATE_IDENTITY: 'not-permitted',
  E_UPDATE_NOT_ASSIGNED: 'not-permitted',
  E_SESSION_SUPERSEDED: 'old-keys',
  E_SESSION_EXPIRED: 'old-keys',
  E_SESSION_API_KEY: 'old-keys',
  E_ENROLL_CLONE: 'old-keys',
  E_ENROLL_DELIVERED: 'old-keys',
  E_ENROLL_GRACE: 'old-keys',
  E_SESSION_STATE: 'kept-out',
  E_SESSION_REVOKED: 'kept-out',
  E_ENROLL_STATE: 'kept-out',
  E_JOURNAL_UNAVAILABLE: 'server',
  E_JOURNAL_DISK_FULL: 'server',
  E_UPDATE_BUSY: 'server',
};

/** The kind of a code. */
export function ownedKindOf(code: RefusalCode): OwnedRefusalKind {
  return KINDS[code] ?? 'other';
}
