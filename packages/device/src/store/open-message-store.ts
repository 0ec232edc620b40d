/** Opens the store of a bundle, with the bounds that a program asks for. @module */
import { join } from 'node:path';
import { BUNDLE_FILES } from '../bundle-files.ts';
import type { DeviceBundle } from '../bundle.ts';
import type { BufferOptions } from '../device-options.ts';
import { STORE_BYTES, STORE_MESSAGES } from '../limits.ts';
import { MessageStore } from './message-store.ts';
import { StoreKey } from './store-key.ts';

/**
 * Opens the store of messages of a bundle.
 * @param onDrop - hears the counter of each message that is dropped
 * @throws DeviceError `E_DEVICE_STORE`, `E_DEVICE_STORE_BUSY`, `E_DEVICE_MODE`
 * @throws RangeError for bounds out of range
 */
export function openMessageStore(
  bundle: DeviceBundle,
  buffer: BufferOptions,
  onDrop: (counter: number) => void,
): MessageStore {
  const { messagesMax = STORE_MESSAGES.default, bytesMax = STORE_BYTES.default } = buffer;
  requireWithin('messagesMax', messagesMax, STORE_MESSAGES);
  requireWithin('bytesMax', bytesMax, STORE_BYTES);
  const key = buffer.key ?? StoreKey.derive(bundle.payloadKey);
  const bounds = { messagesMax, bytesMax, drop: buffer.drop ?? 'oldest' };
  return new MessageStore(join(bundle.folder, BUNDLE_FILES.store), { key, bounds, onDrop });
}

function requireWithin(name: string, value: number, range: { min: number; max: number }): void {
  const { min, max } = range;
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`buffer.${name} is an integer, ${min} to ${max}`);
}
