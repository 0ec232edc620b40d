/** What a device tells of its hardware. @module */
import type { Clock } from '../kernel/index.ts';
import type { Updates } from './open-updates.ts';
import type { Audit, Registries } from './storage.ts';

/** From one word about other hardware of a device to the next, in milliseconds: the log stays. */
const TOLD_AGAIN_MS = 86_400_000;

/**
 * What a device tells of its hardware counts until somebody has said it; then it must be that, and
 * each device that tells otherwise is an event, once a day whatever it tells.
 * @returns how to stop.
 */
export function adoptHardware({
  clock,
  registry,
  updates: { reports },
  recordEvent,
}: Pick<Audit, 'recordEvent'> & {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly registry: Pick<Registries['registry'], 'byId' | 'setHardware'>;
  readonly updates: { readonly reports: Pick<Updates['reports'], 'onReport'> };
}): () => void {
  /** When it was told of which device. */
  const told = new Map<string, number>();
  return reports.onReport((id, { hardware }) => {
    const device = registry.byId(id);
    if (hardware === undefined || device === undefined || device.hardware === hardware) return;
    if (device.hardware === undefined) return registry.setHardware([id], hardware);
    const nowMs = clock.nowMs();
    if (Math.abs(nowMs - (told.get(id) ?? Number.NEGATIVE_INFINITY)) < TOLD_AGAIN_MS) return;
    told.set(id, nowMs);
    const facts = { device: id, hardware: device.hardware, reported: hardware };
    recordEvent({ name: 'device.hardware-differs', facts }).catch(() => told.delete(id));
  });
}
