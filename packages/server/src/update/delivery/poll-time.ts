/** When a device is to ask again. @module */
import { createHash } from 'node:crypto';
import { POLL_JITTER, POLL_S } from './limits.ts';

/**
 * Seconds until a device asks again: {@link POLL_S}, and up to a fifth more or less. Always the
 * same for one device, so that an answer with the same tag has the same bytes.
 */
export function pollSeconds(device: string): number {
  const [byte0 = 0, byte1 = 0] = createHash('sha256').update(device, 'utf8').digest();
  const share = (byte0 * 256 + byte1) / 65_535;
  return Math.round(POLL_S * (1 - POLL_JITTER + 2 * POLL_JITTER * share));
}
