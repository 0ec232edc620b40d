/** The place of a device in a rollout. @module */
import { hash } from 'node:crypto';

/**
 * A number from 0 to 1 that depends on the two ids alone, so that a device keeps its place when
 * the fleet grows, and is not among the first of every rollout.
 */
export function placeOf(rollout: string, device: string): number {
  const digest = hash('sha256', `${rollout}${device}`, 'buffer');
  return Number(digest.readBigUInt64BE(0) >> 11n) / 2 ** 53;
}
