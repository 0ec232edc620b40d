/** Plans, rollouts and a fleet for the tests of this folder. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Release, UpdateReport } from '@holdfast/firmware';
import { type DeviceId, Refusal, parseDeviceId } from '@holdfast/protocol';
import { type RolloutPlan, RolloutPlanSchema } from '@holdfast/protocol/api';
import type { z } from 'zod';
import type { Act } from '../../audit/index.ts';
import { type Clock, createLog } from '../../kernel/index.ts';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import type { RolloutEvent, Surroundings } from './events.ts';
import type { FleetDevice, LatestReport } from './fleet.ts';
import { newHead } from './new-rollout.ts';
import { nextRollout } from './next-rollout.ts';
import type { RolloutHead } from './rollout-records.ts';
import { type Rollout, Rollouts } from './rollouts.ts';
import { type RolloutState, applied } from './working.ts';

export const RELEASE = 'thermostat@2.0.0';
export const START_MS: number = Date.UTC(2026, 10, 21, 12);

/** A plan of one stage of all devices, unless told otherwise. */
export function planOf(plan: Partial<z.input<typeof RolloutPlanSchema>> = {}): RolloutPlan {
  return RolloutPlanSchema.parse({ stages: [{ select: { percent: 100 } }], ...plan });
}

export function percentStages(...percents: readonly number[]): { select: { percent: number } }[] {
  return percents.map((percent) => ({ select: { percent } }));
}

/** A draft without devices. */
export function draftOf(plan: RolloutPlan): RolloutState {
  const facts = { id: 'ab12cd34', number: 1, release: RELEASE, plan };
  const head = newHead({ ...facts, by: 'local', atMs: START_MS });
  return { head, devices: new Map() };
}

/** A fleet in which nothing stands in the way. */
export const CALM: Surroundings = {
  whyNot: () => undefined,
  assigned: () => 'thermostat@1.0.0',
  groupOf: () => '',
  hasOwner: () => false,
  lastSeenMs: () => undefined,
  watchedMs: () => Number.POSITIVE_INFINITY,
};

export function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `t-${at}`);
}

/** A rollout moved by events, one after the other. */
export class RolloutLab {
  state: RolloutState;
  atMs = START_MS;

  constructor(plan: RolloutPlan) {
    this.state = draftOf(plan);
  }

  /** @throws when it is refused. */
  send(event: EventWithoutTime): this {
    const step = nextRollout(this.state, { ...event, atMs: this.atMs });
    if (step instanceof Refusal) throw new Error(`${step.code}: ${step.detail}`);
    this.state = applied(this.state, step);
    return this;
  }

  refusalOf(event: EventWithoutTime): string | undefined {
    const step = nextRollout(this.state, { ...event, atMs: this.atMs });
    return step instanceof Refusal ? step.code : undefined;
  }

  start(devices: readonly string[], groupOf: (device: string) => string = () => ''): this {
    const members = devices.map((device) => ({ device, group: groupOf(device) }));
    return this.send({ kind: 'start', by: 'person:ada', reason: 'go', number: 1, members });
  }

  tick(surroundings: Partial<Surroundings> = {}): this {
    return this.send({ kind: 'tick', surroundings: { ...CALM, ...surroundings } });
  }

  report(
    device: string,
    state: 'downloading' | 'trial' | 'confirmed' | 'failed' | 'reverted',
  ): this {
    return this.send({ kind: 'report', device, report: { release: RELEASE, state } });
  }

  /** Ids of the devices in a state, in the order of their ids. */
  in(state: string): string[] {
    const found = [...this.state.devices.values()].filter((record) => record.state === state);
    return found.map(({ device }) => device).sort();
  }
}

type EventWithoutTime = RolloutEvent extends infer E
  ? E extends RolloutEvent
    ? Omit<E, 'atMs'>
    : never
  : never;

/** A release that nobody has signed. */
export function fakeRelease(id: string, custom: Partial<Release['custom']> = {}): Release {
  const [line = '', version = ''] = id.split('@');
  return {
    id,
    path: `${line}/${version}/image.bin`,
    length: 1_000,
    sha256: Buffer.from(id.padEnd(32, '.').slice(0, 32)).toString('hex'),
    custom: { line, version, hardware: ['thermo-a'], counter: 1, ...custom },
  };
}

/** Records in memory that survive whoever uses them, as a disk does. */
export class FakeDisk implements Pick<SealedStore, 'collection' | 'transaction'> {
  readonly #collections = new Map<string, Map<string, string>>();
  /** Throws at the next write. */
  isFailing = false;

  collection<T>(name: string, schema: z.ZodType<T>): Collection<T> {
    const records = this.#collections.get(name) ?? new Map<string, string>();
    this.#collections.set(name, records);
    const parse = (text: string): T => schema.parse(JSON.parse(text));
    return {
      read: (id) => {
        const text = records.get(id);
        return text === undefined ? undefined : parse(text);
      },
      write: (id, value) => void records.set(id, JSON.stringify(value)),
      remove: (id) => void records.delete(id),
      all: () => [...records.values()].map(parse),
    };
  }

  transaction<T>(task: () => T): T {
    if (this.isFailing) throw new Error('the disk fails');
    return task();
  }
}

/** A director that remembers, and a fleet that does as it is told. */
export class FakeWorld {
  readonly disk = new FakeDisk();
  readonly clock = new LabClock();
  readonly acts: Act[] = [];
  readonly named = new Map<string, string | undefined>();
  readonly releases = new Map<string, Release>();
  readonly fleet = new Map<string, FleetDevice>();
  readonly reports = new Map<string, LatestReport>();
  readonly owned = new Set<string>();
  /** Called before the director names something. */
  beforeAssign: (device: string, release: string | undefined) => void | Promise<void> = () => {};
  isJournalFailing = false;
  #listener: ((device: DeviceId, report: UpdateReport) => void) | undefined;
  rollouts: Rollouts;

  constructor(devices: Iterable<string> = []) {
    for (const id of devices) this.add(id);
    for (const id of ['thermostat@1.0.0', RELEASE]) this.releases.set(id, fakeRelease(id));
    this.rollouts = this.open();
  }

  add(id: string, facts: Partial<FleetDevice> = {}): void {
    const common = {
      id,
      class: 'sensor',
      group: '',
      state: 'active',
      hardware: 'thermo-a',
    } as const;
    this.fleet.set(id, { ...common, ...facts });
    this.named.set(id, 'thermostat@1.0.0');
  }

  /** Starts again on the same disk; what the process before had in memory is gone. */
  open(): Rollouts {
    this.rollouts = new Rollouts({
      clock: this.clock,
      log: createLog({ form: 'json', level: 'silent', write: () => {} }),
      store: this.disk,
      recordAct: (act) => {
        if (this.isJournalFailing) return Promise.reject(new Error('the journal fails'));
        return Promise.resolve(void this.acts.push(act));
      },
      releases: { byId: (id) => this.releases.get(id) },
      director: {
        assignMany: async (devices, release) => {
          for (const device of devices) await this.beforeAssign(device, release?.id);
          for (const device of devices) this.named.set(device, release?.id);
        },
        assigned: (device) => this.releases.get(this.named.get(device) ?? ''),
      },
      reports: {
        onReport: (listener) => {
          this.#listener = listener;
          return () => {};
        },
      },
      fleet: {
        devices: () => this.fleet.values(),
        byId: (id) => this.fleet.get(id),
        hasOwner: (id) => this.owned.has(id),
        lastSeenMs: () => this.clock.ms,
        latestReport: (id) => this.reports.get(id),
        mayUpdate: () => true,
      },
    });
    this.rollouts.open();
    return this.rollouts;
  }

  /** The process is killed: it hears and does nothing more. */
  crash(): void {
    this.#listener = undefined;
    this.clock.forget();
  }

  report(device: string, state: UpdateReport['state'], release: string = RELEASE): void {
    const id = parseDeviceId(device);
    if (id instanceof Refusal) throw new Error(id.detail);
    this.reports.set(device, { release, state, reportedMs: this.clock.ms });
    this.#listener?.(id, { release, state });
  }

  /** Lets time pass a second at a time, and what was begun end. */
  async advance(seconds = 1): Promise<void> {
    for (let at = 0; at < seconds; at += 1) {
      this.clock.advance(1_000);
      await nextTurn();
    }
  }

  async start(plan: RolloutPlan, release: string = RELEASE): Promise<string> {
    const head = made(this.rollouts.draft({ release, plan, by: 'person:ada' }));
    made(await this.begin(head.id));
    return head.id;
  }

  begin(id: string): Promise<RolloutHead | Refusal> {
    const wish = { by: 'person:ada', reason: 'go', right: () => 'update' as const };
    return this.rollouts.start(id, wish, () => Promise.resolve());
  }

  rollout(id: string): Rollout {
    return made(this.rollouts.byId(id));
  }

  /** How many devices of a rollout are in a state. */
  count(id: string, state: string): number {
    return [...this.rollout(id).devices.values()].filter((one) => one.state === state).length;
  }
}

/** A clock that the test moves. */
export class LabClock implements Clock {
  ms = START_MS;
  #setByMs = 0;
  #timers: { readonly atMs: number; readonly task: () => void }[] = [];

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms - this.#setByMs;
  }

  /** Somebody sets the clock on the wall; timers go on. */
  set(byMs: number): void {
    this.ms += byMs;
    this.#setByMs += byMs;
    this.#timers = this.#timers.map(({ atMs, task }) => ({ atMs: atMs + byMs, task }));
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.ms + delayMs, task };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  forget(): void {
    this.#timers = [];
  }

  advance(ms: number): void {
    const endMs = this.ms + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs);
      const [next] = due.sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.ms = Math.max(this.ms, next.atMs);
      next.task();
    }
    this.ms = endMs;
  }
}

/** The value, when it is no refusal. */
export function made<T>(value: T | Refusal): T {
  if (value instanceof Refusal) throw new Error(`${value.code}: ${value.detail}`);
  return value;
}
