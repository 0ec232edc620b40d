/** The two places for an image, and which of them is started: the port to a boot loader. @module */
import { DeviceError } from '../device-error.ts';

export const SLOT_NAMES = ['a', 'b'] as const;
export type SlotName = (typeof SLOT_NAMES)[number];

/**
 * What a boot loader goes by. It starts `trial` as long as it has tries, and takes one away,
 * durably, before each start; else it starts `slot`. So a trial ends without the agent as well.
 */
export interface BootState {
  /** The confirmed slot. */
  readonly slot: SlotName;
  readonly trial: SlotName | undefined;
  /** Starts of `trial` that are left; 0 without one. */
  readonly tries: number;
}

/** Two slots and their boot loader. Every change is durable when it returns. */
export interface Slots {
  /** The slot that was started this time. */
  running(): SlotName;
  /** @throws DeviceError `E_DEVICE_SLOTS` when the state of the boot loader cannot be read */
  boot(): BootState;
  /**
   * Fills the inactive slot. It cannot be started from the first byte on until
   * {@link Slots.markForTrial}.
   * @throws DeviceError `E_DEVICE_SLOTS` during a trial
   */
  write(image: AsyncIterable<Uint8Array>): Promise<void>;
  /** SHA-256, in hexadecimal, of the image of `length` bytes in a slot, read from the disk. */
  digest(slot: SlotName, length: number): Promise<string>;
  /** The file or block device with the image of a slot. */
  imagePath(slot: SlotName): string;
  /** The next starts, `tries` at most, are of the inactive slot. */
  markForTrial(tries: number): void;
  /** The slot on trial is the confirmed one from now on. */
  confirm(): void;
  /** No slot is on trial any more: the next start is of the confirmed one. */
  revert(): void;
}

export function otherSlot(slot: SlotName): SlotName {
  return slot === 'a' ? 'b' : 'a';
}

/**
 * The slot that an image may be written to.
 * @throws DeviceError `E_DEVICE_SLOTS` during a trial: both slots are needed then
 */
export function inactiveSlot(slots: Pick<Slots, 'running' | 'boot'>): SlotName {
  const { slot, trial } = slots.boot();
  if (trial === undefined && slots.running() === slot) return otherSlot(slot);
  throw slotsError('A trial is not finished, so no slot is free', {
    fix: 'Wait until it is confirmed or reverted: holdfast-agent status.',
  });
}

/** What a boot loader does at each start. */
export function nextStart(state: BootState): {
  readonly start: SlotName;
  readonly after: BootState;
} {
  const { slot, trial, tries } = state;
  if (trial === undefined || tries <= 0) return { start: slot, after: state };
  return { start: trial, after: { slot, trial, tries: tries - 1 } };
}

/** A slot or the state of the boot loader cannot be used. */
export function slotsError(
  what: string,
  { fix, cause }: { readonly fix: string; readonly cause?: unknown },
): DeviceError {
  return new DeviceError('E_DEVICE_SLOTS', { message: `${what}.`, fix, cause });
}
