/** How a claim stands: open, or used by which certificate. @module */
import { X509Certificate } from 'node:crypto';
import type { ClaimState } from '@holdfast/protocol/api';
import { certificatePin } from '../pki/index.ts';
import type { Claim } from '../registry/index.ts';
import { isoTime } from './views.ts';

/** The claim as people see it later on; whoever reads the device may know, as no secret is in it. */
export function claimState({ expiresAtMs, redeemed }: Claim): ClaimState {
  const expiresAt = isoTime(expiresAtMs);
  if (redeemed === undefined) return { expiresAt };
  const { raw } = new X509Certificate(redeemed.certificatePem);
  return { expiresAt, usedAt: isoTime(redeemed.atMs), certificate: certificatePin(raw) };
}
