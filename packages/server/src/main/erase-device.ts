/** Erasure: what a device has sent can be read nowhere any more, backups included. @module */
import type { RecordAct } from '../audit/index.ts';
import { type Backups, SCRUB_RETRY_MS, SCRUB_WAIT_MS_MAX } from '../backup/index.ts';
import { type Clock, sleep } from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import { type Device, contentKeyRefsOf } from '../registry/index.ts';
import type { SeriesStore } from '../telemetry/index.ts';
import type { Flow } from './flow.ts';

/** What an erasure has done. */
export interface ErasedDevice {
  /** Numbers of the data keys that were destroyed. */
  readonly keyRefs: readonly number[];
  /** Destinations of backups that do not know of it yet: they are tried again until they do. */
  readonly pending: readonly string[];
  /** False while readers keep what was destroyed in the write-ahead log; it goes with them. */
  readonly isScrubbed: boolean;
}

/** Erases what a device has sent. */
export type EraseDevice = (deviceId: string) => Promise<ErasedDevice>;

/** Makes the erasure. The device itself, its certificate and its rights stay. */
export function eraseDevice({
  clock,
  store,
  registry,
  recordAct,
  messagePath,
  backups,
  series,
}: {
  readonly clock: Clock;
  readonly store: Pick<SealedStore, 'scrub'>;
  readonly registry: {
    byId(id: string): Pick<Device, 'contentKeyRef' | 'formerContentKeyRefs'> | undefined;
  };
  readonly recordAct: RecordAct;
  readonly messagePath: Pick<Flow['messagePath'], 'eraseContent'>;
  readonly backups: Pick<Backups, 'erase'>;
  readonly series: Pick<SeriesStore, 'forget'>;
}): EraseDevice {
  return async (deviceId) => {
    const device = registry.byId(deviceId);
    if (device !== undefined) {
      // First, or after a crash in between nothing would explain what the log has lost.
      const facts = { keyRefs: contentKeyRefsOf(device) };
      await recordAct({ action: 'keys.destroy', principal: 'server', target: deviceId, facts });
    }
    const { keyRefs, seen } = await messagePath.eraseContent(deviceId);
    // What follows waits for other machines, and for readers: the keys are gone here by now.
    const forgotten = forgetSeries(series, keyRefs);
    const erasure = { keyRefs, seen, atMs: clock.nowMs() };
    const pending = keyRefs.length === 0 ? [] : await backups.erase(erasure);
    await forgotten;
    return { keyRefs, pending, isScrubbed: await scrub(store, clock) };
  };
}

/** What stands in series is unreadable without the keys; the next sweep tries again to remove it. */
async function forgetSeries(
  series: Pick<SeriesStore, 'forget'>,
  keyRefs: readonly number[],
): Promise<void> {
  try {
    await series.forget(keyRefs);
  } catch {
    // The store has told the log what is the matter with it.
  }
}

/** Empties the write-ahead log, which readers can put off. */
export async function scrub(store: Pick<SealedStore, 'scrub'>, clock: Clock): Promise<boolean> {
  const endMs = clock.monotonicMs() + SCRUB_WAIT_MS_MAX;
  while (!store.scrub()) {
    if (clock.monotonicMs() >= endMs) return false;
    await sleep(clock, SCRUB_RETRY_MS);
  }
  return true;
}
