/** What a server has stored of a device. @module */
import type { Client } from '@holdfast/client';

/** The counters of all readings of a device. */
export async function storedCounters(client: Client, deviceId: string): Promise<Set<number>> {
  const counters = new Set<number>();
  const limit = 1_000;
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = await client.readings(deviceId, { limit, before });
    for (const { index, payload } of page) {
      counters.add((JSON.parse(payload) as { ctr: number }).ctr);
      before = index;
    }
    if (page.length < limit) return counters;
  }
}
