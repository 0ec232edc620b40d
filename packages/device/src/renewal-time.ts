/** When a certificate is renewed. @module */
import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { RENEWAL_FRACTION, RENEWAL_JITTER } from './limits.ts';

/**
 * The moment from which a certificate is to be renewed: at two thirds of its life, spread by
 * ±5 %. The spread follows from device id and serial number, so it is the same after a restart and
 * another one for each device and each certificate.
 *
 * @returns milliseconds since 1970
 */
export function renewalDueMs(
  device: string,
  certificate: Pick<X509Certificate, 'validFromDate' | 'validToDate' | 'serialNumber'>,
): number {
  const fromMs = certificate.validFromDate.getTime();
  const lifeMs = certificate.validToDate.getTime() - fromMs;
  const digest = createHash('sha256').update(`${device}\n${certificate.serialNumber}`).digest();
  const spread = (digest.readUInt32BE(0) / 0xff_ff_ff_ff) * 2 - 1;
  return Math.round(fromMs + lifeMs * RENEWAL_FRACTION * (1 + spread * RENEWAL_JITTER));
}
