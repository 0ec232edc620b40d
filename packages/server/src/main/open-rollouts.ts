/** The rollouts of a running server, joined to what they go by. @module */
import type { DeviceId } from '@holdfast/protocol';
import type { Device } from '../registry/index.ts';
import { type FleetDevice, Rollouts } from '../update/index.ts';
import { adoptHardware } from './adopt-hardware.ts';
import type { Context } from './context.ts';
import type { Flow } from './flow.ts';
import type { Metrics } from './metrics.ts';
import type { Updates } from './open-updates.ts';
import type { Audit, Registries, Storage } from './storage.ts';

/** The rollouts, and what tells them that a device is alive. */
export interface RunningRollouts {
  readonly rollouts: Rollouts;
  /** A device was heard of by other ways than MQTT. */
  readonly noteSeen: (device: DeviceId) => void;
}

/** Opens them; nothing moves before `rollouts.open`. */
export function openRollouts(
  { clock, log, onUndo }: Context,
  parts: Pick<Storage, 'store'> &
    Pick<Registries, 'registry' | 'owners' | 'people' | 'policies'> &
    Pick<Audit, 'recordAct' | 'recordEvent'> &
    Pick<Flow, 'sessions'> & {
      readonly updates: Pick<Updates, 'releases' | 'director' | 'reports'>;
      readonly metrics: Pick<Metrics, 'watchRollouts'>;
    },
): RunningRollouts {
  const { store, registry, owners, people, policies, recordAct, sessions, updates } = parts;
  const { releases, director, reports } = updates;
  const startedMs = clock.nowMs();
  /** By device; of those that are connected, each time that somebody asks. */
  const seen = new Map<string, number>();
  const fleetDevice = (device: Device): FleetDevice => {
    const { running: sha256, counter, state, release } = reports.of(device.id) ?? {};
    const running =
      sha256 === undefined
        ? state === 'confirmed'
          ? release
          : undefined
        : releases.bySha256(sha256)?.id;
    const hardware = device.hardware ?? reports.of(device.id)?.hardware;
    return { ...device, hardware, running: { release: running, counter } };
  };
  const rollouts = new Rollouts({
    clock,
    log,
    store,
    recordAct,
    releases,
    director,
    reports,
    fleet: {
      *devices() {
        for (const device of registry.after('')) yield fleetDevice(device);
      },
      byId: (id) => {
        const device = registry.byId(id);
        return device && fleetDevice(device);
      },
      hasOwner: (id) => owners.ownerOf(id) !== undefined,
      lastSeenMs: (id) => {
        if (sessions.isConnected(id)) seen.set(id, clock.nowMs());
        // Who was away while the server was, too, is not silent yet.
        return Math.max(startedMs, seen.get(id) ?? 0, reports.of(id)?.reportedMs ?? 0);
      },
      latestReport: (id) => reports.of(id),
      mayUpdate: (principal, device) => {
        const role = people.roleOf(principal);
        if (role === undefined) return false;
        const person = { kind: 'person', id: principal, role } as const;
        const resource = { kind: 'device', device } as const;
        const context = { steppedUp: true, secondPerson: true };
        const request = { principal: person, action: 'device:update', resource, context } as const;
        return policies.authorizer.peek(request).isPermitted;
      },
    },
  });
  parts.metrics.watchRollouts(() => rollouts.counts());
  onUndo(adoptHardware({ ...parts, clock }));
  onUndo(() => rollouts.close());
  return { rollouts, noteSeen: (device) => void seen.set(device, clock.nowMs()) };
}
