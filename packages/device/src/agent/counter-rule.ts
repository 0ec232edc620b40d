/** The guard against rollback attacks: an image with a lower security counter is refused. @module */
import type { ConfirmedImage, UpdateImage } from './update-record.ts';

/**
 * What of another image with the same counter. `accept` (default): operators may go back among
 * releases with the same counter, as from one that is bad. `refuse`: each release needs a higher
 * one, so nobody at all can send a device back.
 */
export type CounterRule = 'accept' | 'refuse';

/**
 * Judges an update against what is confirmed.
 * @returns undefined when it may be installed, `same-image` when it is what is confirmed already,
 *   or why it is refused, in words
 */
export function judgeCounter(
  confirmed: ConfirmedImage,
  { image, rule }: { readonly image: UpdateImage; readonly rule: CounterRule },
): string | undefined {
  const isSame =
    confirmed.sha256 === undefined
      ? confirmed.release === image.release
      : confirmed.sha256 === image.sha256;
  const counters = `its security counter is ${image.counter}, that of the confirmed image ${confirmed.counter}`;
  if (image.counter < confirmed.counter) return `refused: ${counters}`;
  if (isSame) return 'same-image';
  if (image.counter > confirmed.counter || rule === 'accept') return undefined;
  return `refused: another image, and ${counters} as well`;
}
