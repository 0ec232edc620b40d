/** The care of the keys of a running server, joined to its parts. @module */
import type { Backups } from '../backup/index.ts';
import { KEY_BYTES_MAX, KEY_SEALINGS_MAX } from '../persistence/index.ts';
import type { Context } from './context.ts';
import { escrowOf } from './escrow.ts';
import { RunningKeyCare } from './key-care.ts';
import type { Metrics } from './metrics.ts';
import type { Audit, Registries, Storage } from './storage.ts';

/** Opens the care of the keys; it does nothing before `start`. */
export function openKeyCare(
  { clock, log, onUndo }: Context,
  parts: Pick<Storage, 'store' | 'folder' | 'custody'> &
    Pick<Registries, 'registry'> &
    Pick<Audit, 'recordAct'> & { readonly backups: Backups; readonly metrics: Metrics },
): RunningKeyCare {
  const { store, folder, custody, registry, recordAct, backups, metrics } = parts;
  const keyCare = new RunningKeyCare({
    clock,
    log,
    store,
    registry,
    recordAct,
    bringKeys: () => backups.bringKeys(),
    custodyName: custody.name,
    escrow: () => escrowOf(folder),
  });
  onUndo(() => keyCare.stop());
  metrics.watchKeys(() => {
    const { version } = store.keyring.keks.current;
    const worn = store.census
      .purposes()
      .map(({ most }) => Math.max(most.sealings / KEY_SEALINGS_MAX, most.bytes / KEY_BYTES_MAX));
    return { version, left: store.rotation().left, worn: Math.max(0, ...worn) };
  });
  return keyCare;
}
