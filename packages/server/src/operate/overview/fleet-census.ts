/** The devices that somebody may see, counted in small steps, and not for each request anew. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CERTIFICATE_SOON_MS, OVERVIEW_LISTED_MAX, type Overview } from '@holdfast/protocol/api';
import type { Caller, Device } from '../../registry/index.ts';
import type { RequestAccess } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import {
  CENSUSES_KEPT,
  CENSUS_DEVICES_OF_STEP,
  CENSUS_LIFE_MS,
  CENSUS_PART_LIFE_MS,
  PLANNED_DEVICE_LOOKS,
} from '../limits.ts';
import { isoTime } from '../views.ts';

/** What is counted. */
export interface FleetCount {
  readonly fleet: Overview['fleet'];
  readonly certificates: Overview['certificates'];
  readonly updates: Readonly<Record<string, number>>;
}

/** What counting needs. */
export type FleetCensusDeps = Pick<
  ApiDeps,
  'clock' | 'registry' | 'policies' | 'sessions' | 'lastSeen'
> & {
  readonly updates: Pick<ApiDeps['updates'], 'reports'>;
};

interface Taken {
  readonly endsAtMs: number;
  readonly count: Promise<FleetCount>;
}

/** Who asks for a count, and pays for it when none was made for them lately. */
export interface CensusTaker {
  readonly access: Pick<RequestAccess, 'stillPermits' | 'permitsEvery'>;
  /** @throws RefusedRequest when too many devices were looked at for them. */
  readonly takeLooks: (devices: number) => void;
}

/** Counts of the fleet, each one shared by all who see the same and ask within some seconds. */
export class FleetCensus {
  readonly #deps: FleetCensusDeps;
  readonly #taken = new Map<string, Taken>();

  constructor(deps: FleetCensusDeps) {
    this.#deps = deps;
  }

  /** What this caller sees. */
  of(
    { principal, role, scope }: Pick<Caller, 'principal' | 'role' | 'scope'>,
    { access, takeLooks }: CensusTaker,
  ): Promise<FleetCount> {
    const { clock, policies } = this.#deps;
    const isWhole = access.permitsEvery('device:read');
    const whose = JSON.stringify([policies.authorizer.epoch, role, principal, scope]);
    const key = isWhole ? '' : whose;
    const known = this.#taken.get(key);
    if (known !== undefined && clock.monotonicMs() < known.endsAtMs) return known.count;
    if (!isWhole) takeLooks(this.#deps.registry.columns.count * PLANNED_DEVICE_LOOKS);
    const mayRead = (device: Device): boolean =>
      isWhole || access.stillPermits({ kind: 'device', device }, 'device:read');
    const lifeMs = isWhole ? CENSUS_LIFE_MS : CENSUS_PART_LIFE_MS;
    const count = this.#count(mayRead, isWhole);
    this.#taken.delete(key);
    this.#taken.set(key, { endsAtMs: clock.monotonicMs() + lifeMs, count });
    // A failure is told to those who waited for it, and counted anew for the next.
    count.catch(() => this.#taken.delete(key));
    const [oldest] = this.#taken.keys();
    if (oldest !== undefined && this.#taken.size > CENSUSES_KEPT) this.#taken.delete(oldest);
    return count;
  }

  async #count(mayRead: (device: Device) => boolean, isWhole: boolean): Promise<FleetCount> {
    const { clock, registry } = this.#deps;
    const tally = new FleetTally(this.#deps);
    let after = '';
    for (;;) {
      let left = CENSUS_DEVICES_OF_STEP;
      for (const device of registry.after(after)) {
        if (left === 0) break;
        left -= 1;
        after = device.id;
        if (mayRead(device)) tally.add(device);
      }
      if (left > 0) return tally.count(isWhole, isoTime(clock.nowMs()));
      await nextTurn();
    }
  }
}

/** What was counted so far. */
class FleetTally {
  readonly #deps: FleetCensusDeps;
  readonly #nowMs: number;
  readonly #byState: Record<string, number> = {};
  readonly #byClass: Record<string, number> = {};
  readonly #updates: Record<string, number> = {};
  readonly #ending = new ListedCount();
  readonly #ended = new ListedCount();
  #total = 0;
  #connected = 0;
  #neverSeen = 0;
  #unproven = 0;

  constructor(deps: FleetCensusDeps) {
    this.#deps = deps;
    this.#nowMs = deps.clock.nowMs();
  }

  add(device: Device): void {
    const { sessions, lastSeen, updates } = this.#deps;
    const { id, state } = device;
    this.#total += 1;
    count(this.#byState, state);
    count(this.#byClass, device.class);
    const isConnected = sessions.isConnected(id);
    const hasEnded = state === 'revoked' || state === 'retired';
    if (isConnected) this.#connected += 1;
    else if (!hasEnded && lastSeen.of(id) === undefined) this.#neverSeen += 1;
    if (device.boot === 'unproven') this.#unproven += 1;
    const report = updates.reports.of(id);
    if (report !== undefined) count(this.#updates, report.state);
    if (!hasEnded) this.#addCertificate(id);
  }

  count(isWhole: boolean, countedAt: string): FleetCount {
    return {
      fleet: {
        total: this.#total,
        isWhole,
        byState: this.#byState,
        byClass: this.#byClass,
        connected: this.#connected,
        neverSeen: this.#neverSeen,
        unproven: this.#unproven,
        countedAt,
      },
      certificates: { ending: this.#ending.view, ended: this.#ended.view },
      updates: this.#updates,
    };
  }

  #addCertificate(id: string): void {
    const endMs = this.#deps.registry.certificateEndMs(id);
    if (endMs === undefined || endMs >= this.#nowMs + CERTIFICATE_SOON_MS) return;
    (endMs < this.#nowMs ? this.#ended : this.#ending).add(id);
  }
}

/** A number of devices, and the first of them. */
class ListedCount {
  readonly #devices: string[] = [];
  #count = 0;

  add(id: string): void {
    this.#count += 1;
    if (this.#devices.length < OVERVIEW_LISTED_MAX) this.#devices.push(id);
  }

  get view(): Overview['certificates']['ending'] {
    return { count: this.#count, devices: this.#devices };
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
