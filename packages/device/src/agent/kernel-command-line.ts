/** Which slot the kernel was started from: its boot loader says so on the command line. @module */
import { readIfThere } from './agent-disk.ts';
import { type SlotName, slotsError } from './slots.ts';

/**
 * Reads `holdfast.slot=a` or `holdfast.slot=b`.
 * @throws DeviceError `E_DEVICE_SLOTS` when it is not there
 */
export function runningSlot(path = '/proc/cmdline'): SlotName {
  const words = (readIfThere(path)?.toString('latin1') ?? '').split(/\s+/u);
  const slot = words.findLast((word) => word.startsWith(PREFIX))?.slice(PREFIX.length);
  if (slot === 'a' || slot === 'b') return slot;
  throw slotsError(`${path} does not say which slot was started`, {
    fix: 'Let the boot loader add holdfast.slot=a or holdfast.slot=b to the kernel command line.',
  });
}

const PREFIX = 'holdfast.slot=';
