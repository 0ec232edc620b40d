/** What devices fetch of the update system, joined to the enrollment listener. @module */
import type { DeviceState } from '../registry/index.ts';
import { UpdateServices, type UpdateServicesDeps } from '../update/index.ts';
import type { Context } from './context.ts';
import type { Flow } from './flow.ts';
import type { Metrics } from './metrics.ts';
import type { Updates } from './open-updates.ts';
import type { Registries, Storage } from './storage.ts';

/** Opens `/update/v1/…`, hawkBit's interface and Mender's. */
export function openUpdateServices(
  { clock, log, options, onUndo }: Context,
  parts: Pick<Storage, 'store'> &
    Pick<Registries, 'payloadKeys'> &
    Omit<
      UpdateServicesDeps,
      'clock' | 'log' | 'releases' | 'director' | 'reports' | 'proofs' | 'secretOf'
    > & {
      readonly updates: Pick<Updates, 'releases' | 'director' | 'reports' | 'proofs'>;
      readonly metrics: Pick<Metrics, 'watchDownloads'>;
      readonly announceUpdate: Flow['announceUpdate'];
    },
): UpdateServices {
  const { updates, registry, payloadKeys, metrics } = parts;
  const services = new UpdateServices({
    ...parts,
    ...updates,
    clock,
    log,
    rates: options.updateRates,
    secretOf: (id) => {
      const device = registry.byId(id);
      return device && payloadKeys.of(device).commandKey;
    },
  });
  metrics.watchDownloads(() => services.counts);
  const { director } = updates;
  const stop = director.onAssign((device) => {
    services.assigned(device);
    parts.announceUpdate(device, director.revision(device));
  });
  onUndo(stop);
  const unwatch = registry.onChange(({ id, state }) => {
    if (!MAY_FETCH.has(state)) services.breakOff(id);
    if (state === 'retired') services.forget(id);
  });
  onUndo(unwatch);
  return services;
}

/** States in which a device may fetch updates; one in quarantine keeps the way to them. */
const MAY_FETCH: ReadonlySet<DeviceState> = new Set(['claimed', 'active', 'quarantined']);
