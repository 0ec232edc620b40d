/** Lets old messages of devices expire, as their class says. @module */
import type { CancelTimer, Clock, Log } from '../../kernel/index.ts';
import {
  type ClassSettings,
  DEVICE_CLASS_NAMES,
  type DeviceRegistry,
  type Retention,
  contentKeyRefsOf,
} from '../../registry/index.ts';
import { RETENTION_INTERVAL_MS } from './limits.ts';
import type { SeriesStore } from './series-store.ts';

const DAY_MS = 86_400_000;

/** What the sweeps need. */
export interface RetentionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Pick<DeviceRegistry, 'all'>;
  readonly classSettings: Pick<ClassSettings, 'of'>;
  readonly series: Pick<SeriesStore, 'plan' | 'expire' | 'keyRefs' | 'forget'>;
  /** Takes entries out of the log: puts on record that it does, and resolves when they are gone. */
  readonly expireLog: (
    expiries: readonly { readonly keyRef: number; readonly before: number }[],
  ) => Promise<void>;
}

/** Sweeps now and then, until the returned function is called. */
export function startRetention(deps: RetentionDeps): CancelTimer {
  let cancel: CancelTimer | undefined;
  let isStopped = false;
  const plan = (): void => {
    if (isStopped) return;
    cancel = deps.clock.after(RETENTION_INTERVAL_MS, () => {
      sweep(deps).catch((error: unknown) => {
        // Nothing is lost by it but space; the next sweep tries again.
        if (isStopped) return;
        const event = { 'event.action': 'retention', 'event.outcome': 'failure' };
        const what = error instanceof Error ? error.message : String(error);
        deps.log.error({ ...event, 'error.message': what }, 'old messages could not expire');
      });
      plan();
    });
  };
  plan();
  return () => {
    isStopped = true;
    cancel?.();
  };
}

/**
 * Lets expire what is too old or too much, of every class that sets a bound: first out of the log,
 * where the act stands, then out of the series. Killed between the two, the next sweep does the
 * second.
 * @returns how many data keys something expired of.
 */
export async function sweep(deps: RetentionDeps): Promise<number> {
  await forgetDestroyed(deps);
  let count = 0;
  for (const name of DEVICE_CLASS_NAMES) {
    const { retention } = deps.classSettings.of(name);
    if (retention === undefined) continue;
    const keyRefs = deps.registry
      .all()
      .filter((device) => device.class === name)
      .flatMap((device) => contentKeyRefsOf(device));
    count += await sweepClass(deps, keyRefs, retention);
  }
  return count;
}

async function sweepClass(
  { clock, series, expireLog }: RetentionDeps,
  keyRefs: readonly number[],
  { ageDays, bytesPerDeviceMax, rollupDays }: Retention,
): Promise<number> {
  const since = (days: number | undefined): number | undefined =>
    days === undefined ? undefined : clock.nowMs() - days * DAY_MS;
  const keep = { fromMs: since(ageDays), bytesMax: bytesPerDeviceMax };
  const expired = await series.plan(keyRefs, keep);
  if (expired.length === 0) return 0;
  await expireLog(expired.map(({ keyRef, before }) => ({ keyRef, before })));
  await series.expire(expired, since(rollupDays));
  return expired.length;
}

/** A crash may have come between the end of a key and that of what stood under it. */
async function forgetDestroyed({ series, registry }: RetentionDeps): Promise<void> {
  const keyRefs = await series.keyRefs();
  const known = new Set(registry.all().flatMap((device) => contentKeyRefsOf(device)));
  await series.forget(keyRefs.filter((keyRef) => !known.has(keyRef)));
}
