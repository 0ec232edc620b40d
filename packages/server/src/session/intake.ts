/** What may wait for the disk, shared among those who send. @module */
import { UNSTORED_COUNT_MAX, UNSTORED_SHARE_MIN, UNSTORED_TOTAL_MAX } from './limits.ts';

/**
 * Messages of all peers that wait for the disk. When many peers flood at once, each is read a
 * little at a time: else one turn of the event loop would take in more than subscribers can
 * acknowledge in many, and their queues would overflow although they are not slow.
 */
export class Intake {
  #busyCount = 0;

  /** Messages that one peer may have waiting, as it stands now. */
  get share(): number {
    const share = Math.floor(UNSTORED_TOTAL_MAX / Math.max(1, this.#busyCount));
    return Math.max(UNSTORED_SHARE_MIN, Math.min(UNSTORED_COUNT_MAX, share));
  }

  /** A peer of which nothing waited has something waiting now. */
  begin(): void {
    this.#busyCount += 1;
  }

  /** The last message of a peer that waited is stored. */
  end(): void {
    this.#busyCount -= 1;
  }
}
