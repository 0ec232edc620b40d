/** What a peer is told of a refusal: a reason code, and never more. @module */
import type { Refusal, RefusalCode } from '@holdfast/protocol';
import { PacketRefusal, REASON, type ReasonCode } from '@holdfast/protocol/mqtt';

/** The reason code for DISCONNECT or CONNACK. Who is no longer admitted learns only that. */
export function reasonOf(refusal: Refusal): ReasonCode {
  if (refusal instanceof PacketRefusal) return refusal.reasonCode;
  return REASONS.get(refusal.code) ?? REASON.notAuthorized;
}

const REASONS: ReadonlyMap<RefusalCode, ReasonCode> = new Map<RefusalCode, ReasonCode>([
  ['E_SESSION_PROTOCOL', REASON.protocolError],
  ['E_SESSION_CLIENT_ID', REASON.clientIdNotValid],
  ['E_SESSION_TIMEOUT', REASON.keepAliveTimeout],
  ['E_SESSION_LIMIT', REASON.quotaExceeded],
  ['E_SESSION_RATE', REASON.quotaExceeded],
  ['E_SESSION_SLOW', REASON.quotaExceeded],
  ['E_SESSION_FLAPPING', REASON.connectionRateExceeded],
  ['E_JOURNAL_UNAVAILABLE', REASON.serverUnavailable],
  ['E_JOURNAL_DISK_FULL', REASON.quotaExceeded],
]);
