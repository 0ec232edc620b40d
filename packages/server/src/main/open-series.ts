/** The time series, and what lets old messages expire. @module */
import { DeviceKeys, SeriesStore, startRetention } from '../telemetry/index.ts';
import type { Context } from './context.ts';
import type { Audit, Registries, Storage } from './storage.ts';

/** The series, and how to end with them. */
export interface OpenedSeries {
  readonly series: SeriesStore;
  readonly close: () => Promise<void>;
}

/** Opens the series; they take in meanwhile what they have missed of the log. */
export function openSeries(
  { clock, log, onUndo }: Context,
  { folder, store: { keyring } }: Pick<Storage, 'folder' | 'store'>,
  {
    journal,
    registry,
    classSettings,
  }: Pick<Audit, 'journal'> & Pick<Registries, 'registry' | 'classSettings'>,
): OpenedSeries {
  const keys = new DeviceKeys({ registry, keyring });
  const series = new SeriesStore({
    path: folder.series,
    logPath: folder.log,
    logSize: () => journal.size,
    keyOf: keys.keyOf,
    clock,
    log,
  });
  const stopRetention = startRetention({
    clock,
    log,
    registry,
    classSettings,
    series,
    expireLog: (expiries) => journal.expire(expiries),
  });
  const close = (): Promise<void> => {
    stopRetention();
    return series.close();
  };
  onUndo(close);
  return { series, close };
}
