/** What happens on the server, told to everybody who watches and may see it. @module */
import {
  type ActView,
  LIVE_DEVICES_PER_SECOND_MAX,
  LIVE_FIGURES_MS,
  LIVE_PRESENCE_MAX,
  LIVE_REFUSALS_PER_SECOND_MAX,
  type LiveDevice,
  type LiveEventName,
  type LiveFigures,
  type LiveLeftOut,
  type LiveOpen,
  type LivePresence,
  type RefusalView,
} from '@holdfast/protocol/api';
import type { CancelTimer } from '../../kernel/index.ts';
import type { Device, DeviceState } from '../../registry/index.ts';
import type { Traffic } from '../../telemetry/index.ts';
import type { RequestAccess } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { actView, isoTime, refusalView } from '../views.ts';
import { EventLimit } from './event-limit.ts';

/** What the hub needs. */
export type LiveHubDeps = Pick<ApiDeps, 'clock' | 'registry' | 'sessions' | 'histories' | 'watch'>;

/** Somebody who watches. */
export interface LiveReader {
  readonly access: Pick<RequestAccess, 'stillPermits' | 'permitsEvery'>;
  readonly send: (event: string, data: string) => void;
}

interface EventData {
  readonly open: LiveOpen;
  readonly figures: LiveFigures;
  readonly refusal: RefusalView;
  readonly act: ActView;
  readonly device: LiveDevice;
  readonly presence: LivePresence;
  readonly 'left-out': LiveLeftOut;
}

const SERVER = { kind: 'server' } as const;

/** While nobody watches, it listens to nothing and costs nothing. */
export class LiveHub {
  readonly #deps: LiveHubDeps;
  readonly #readers = new Set<LiveReader>();
  readonly #refusals: EventLimit;
  readonly #changes: EventLimit;
  readonly #stops: (() => void)[] = [];
  /** As they were told last; only while somebody watches. */
  #states = new Map<string, DeviceState>();
  readonly #came = new Set<string>();
  #cancelPresence: CancelTimer | undefined;
  #cancelFigures: CancelTimer = () => {};

  constructor(deps: LiveHubDeps) {
    this.#deps = deps;
    const limit = (of: LiveLeftOut['of'], perSecondMax: number): EventLimit =>
      new EventLimit(deps.clock, {
        perSecondMax,
        tell: (count) => this.#tellLeftOut({ at: this.#now(), of, count }),
      });
    this.#refusals = limit('refusal', LIVE_REFUSALS_PER_SECOND_MAX);
    this.#changes = limit('device', LIVE_DEVICES_PER_SECOND_MAX);
  }

  /** Whether nobody watches. */
  get isIdle(): boolean {
    return this.#readers.size === 0;
  }

  /** Tells a reader what happens, until the returned function is called. */
  join(reader: LiveReader): () => void {
    if (this.#readers.size === 0) this.#start();
    this.#readers.add(reader);
    this.#send([reader], 'open', { at: this.#now(), events: eventsFor(reader) });
    return () => {
      if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
      for (const stop of this.#stops.splice(0)) stop();
    };
  }

  #start(): void {
    const { registry, histories, watch } = this.#deps;
    this.#states = new Map();
    for (const { id, state } of registry.all()) this.#states.set(id, state);
    this.#stops.push(
      histories.refusals.follow((refusal) => {
        if (this.#refusals.take())
          this.#send(this.#refusalReaders(), 'refusal', refusalView(refusal));
      }),
      histories.acts.follow((act) =>
        this.#send(this.#readersWith('audit:read'), 'act', actView(act)),
      ),
      registry.onChange((device) => this.#changed(device)),
      watch.onPresence((deviceId) => this.#notePresence(deviceId)),
      () => this.#stopTimers(),
    );
    this.#tickFigures(watch.traffic(), this.#deps.clock.monotonicMs());
  }

  #stopTimers(): void {
    this.#refusals.stop();
    this.#changes.stop();
    this.#cancelFigures();
    this.#cancelPresence?.();
    this.#cancelPresence = undefined;
    this.#came.clear();
    this.#states = new Map();
  }

  #tickFigures(before: Traffic, beforeMs: number): void {
    const { clock, watch } = this.#deps;
    this.#cancelFigures = clock.after(LIVE_FIGURES_MS, () => {
      const [now, nowMs] = [watch.traffic(), clock.monotonicMs()];
      const perS = (count: number): number =>
        Math.round((Math.max(0, count) * 10_000) / Math.max(1, nowMs - beforeMs)) / 10;
      const { connections, sessions } = now;
      this.#send(this.#readersWith('server:read'), 'figures', {
        at: this.#now(),
        acceptedPerS: perS(now.accepted - before.accepted),
        refusedPerS: perS(sum(now.refused) - sum(before.refused)),
        connections,
        sessions,
      });
      // Whoever heard of it may have been the last one, and gone.
      if (this.#readers.size > 0) this.#tickFigures(now, nowMs);
    });
  }

  #changed(device: Device): void {
    const { id, state, stateReason, stateBy } = device;
    const stateBefore = this.#states.get(id);
    if (stateBefore === state) return;
    this.#states.set(id, state);
    if (!this.#changes.take()) return;
    const resource = { kind: 'device', device } as const;
    const readers = [...this.#readers].filter(({ access }) =>
      access.stillPermits(resource, 'device:read'),
    );
    this.#send(readers, 'device', {
      at: this.#now(),
      id,
      state,
      ...(stateBefore !== undefined && { stateBefore }),
      stateReason,
      stateBy,
    });
  }

  #notePresence(deviceId: string): void {
    this.#came.add(deviceId);
    this.#cancelPresence ??= this.#deps.clock.after(1_000, () => {
      this.#cancelPresence = undefined;
      this.#tellPresence();
    });
  }

  #tellPresence(): void {
    const { registry, sessions } = this.#deps;
    const devices = [...this.#came].flatMap((id) => registry.byId(id) ?? []);
    this.#came.clear();
    const isConnected = ({ id }: Device): boolean => sessions.isConnected(id);
    for (const reader of this.#readers) {
      const { access } = reader;
      // Who may see all of them need not be asked about each: a thousand may come at once.
      const seen = access.permitsEvery('device:read')
        ? devices
        : devices.filter((device) =>
            access.stillPermits({ kind: 'device', device }, 'device:read'),
          );
      if (seen.length === 0) continue;
      const listed = seen.slice(0, LIVE_PRESENCE_MAX);
      this.#send([reader], 'presence', {
        at: this.#now(),
        changes: listed.map((device) => ({ id: device.id, isConnected: isConnected(device) })),
        leftOut: seen.length - listed.length,
      });
    }
  }

  #tellLeftOut(data: LiveLeftOut): void {
    const readers = data.of === 'refusal' ? this.#refusalReaders() : this.#everyDeviceReaders();
    this.#send(readers, 'left-out', data);
  }

  #refusalReaders(): LiveReader[] {
    return this.#readersWith('refusal:read');
  }

  #everyDeviceReaders(): LiveReader[] {
    return [...this.#readers].filter(({ access }) => access.permitsEvery('device:read'));
  }

  #readersWith(action: 'audit:read' | 'refusal:read' | 'server:read'): LiveReader[] {
    return [...this.#readers].filter(({ access }) => access.stillPermits(SERVER, action));
  }

  #send<E extends LiveEventName>(
    readers: readonly LiveReader[],
    event: E,
    data: EventData[E],
  ): void {
    if (readers.length === 0) return;
    const text = JSON.stringify(data);
    for (const reader of readers) reader.send(event, text);
  }

  #now(): string {
    return isoTime(this.#deps.clock.nowMs());
  }
}

/** Which events a reader can get as things stand. */
function eventsFor({ access }: LiveReader): LiveEventName[] {
  return [
    ...(access.stillPermits(SERVER, 'server:read') ? (['figures'] as const) : []),
    ...(access.stillPermits(SERVER, 'refusal:read') ? (['refusal'] as const) : []),
    ...(access.stillPermits(SERVER, 'audit:read') ? (['act'] as const) : []),
    'device',
    'presence',
    'left-out',
  ];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
