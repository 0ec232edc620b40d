/** Whether the claim on the page has been used. Pure. @module */
import type { ClaimState, ClaimView } from '@holdfast/protocol/api';

/** When it was used, and for which certificate. */
export interface UsedClaim {
  readonly usedAt: string;
  /** Its SHA-256. */
  readonly certificate: string;
}

/**
 * Whether the claim is used.
 * @param shown - The claim on the page, which may be newer than what the server told last.
 * @param state - What the server told last.
 */
export function usedClaim(
  shown: Pick<ClaimView, 'expiresAt'> | undefined,
  state: ClaimState | undefined,
): UsedClaim | undefined {
  if (state?.usedAt === undefined || state.certificate === undefined) return undefined;
  if (shown !== undefined && shown.expiresAt !== state.expiresAt) return undefined;
  return { usedAt: state.usedAt, certificate: state.certificate };
}
