/** Where the replay window of a device goes on after a restart. @module */
import type { Journal } from '../journal/index.ts';
import type { Keyring } from '../persistence/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';

/** Entries that are looked at in one go: the newest is nearly always the one. */
const PAGE_LIMIT = 20;

/**
 * The highest counter that the log has of a device under the payload keys `kid`; -1 for none.
 * Reads backwards to the last message that the device itself sent: commands to it carry none.
 */
export async function storedCounter(
  deps: { journal: Journal; registry: DeviceRegistry; keyring: Keyring },
  deviceId: string,
  kid: string,
): Promise<number> {
  const device = deps.registry.byId(deviceId);
  if (device === undefined) return -1;
  const key = deps.keyring.byRef(device.contentKeyRef);
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = await deps.journal.read(key, { before, limit: PAGE_LIMIT });
    for (const { index, entry, counterMax } of page) {
      if (entry.principal === deviceId) return entry.kid === kid ? counterMax : -1;
      before = index;
    }
    if (page.length === 0) return -1;
  }
}
