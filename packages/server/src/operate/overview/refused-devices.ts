/** Devices that are refused again and again: who they are, before anybody looks for them. @module */
import type { Device } from '../../registry/index.ts';
import type { RefusalRecord } from '../../telemetry/index.ts';
import type { ApiDeps } from '../deps.ts';
import {
  DEVICE_REFUSALS_MIN,
  REFUSALS_PAGE,
  REFUSALS_SURGE_MS,
  REFUSAL_SUMMARY_LIFE_MS,
} from '../limits.ts';
import { whatOf } from './overview-view.ts';

/** A device, how often it was refused lately, and why most of the time. */
export interface RefusedDevice {
  readonly id: string;
  readonly count: number;
  readonly what: string;
}

/** Looks at the newest refusals; one look serves everybody who asks for some seconds. */
export class RefusedDevices {
  readonly #deps: Pick<ApiDeps, 'clock' | 'registry' | 'histories'>;
  #endsAtMs = -Infinity;
  #counts: Promise<ReadonlyMap<string, Counts>> = Promise.resolve(new Map());

  constructor(deps: Pick<ApiDeps, 'clock' | 'registry' | 'histories'>) {
    this.#deps = deps;
  }

  /** Those that are active still, the most refused first. */
  async lately(mayRead: (device: Device) => boolean): Promise<RefusedDevice[]> {
    const found: RefusedDevice[] = [];
    for (const [id, counts] of await this.#look()) {
      const device = this.#deps.registry.byId(id);
      if (device?.state !== 'active' || counts.total < DEVICE_REFUSALS_MIN) continue;
      if (mayRead(device)) found.push({ id, count: counts.total, what: counts.mostlyWhat() });
    }
    return found.toSorted((a, b) => b.count - a.count);
  }

  #look(): Promise<ReadonlyMap<string, Counts>> {
    const { clock, histories } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#endsAtMs) return this.#counts;
    this.#endsAtMs = nowMs + REFUSAL_SUMMARY_LIFE_MS;
    const sinceMs = clock.nowMs() - REFUSALS_SURGE_MS;
    const counts = histories.refusals
      .read({ limit: REFUSALS_PAGE })
      .then((page) => countByDevice(page.filter(({ atMs }) => atMs >= sinceMs)));
    // A failure is told to those who waited for it, and looked for anew by the next.
    counts.catch(() => {
      this.#endsAtMs = -Infinity;
    });
    this.#counts = counts;
    return counts;
  }
}

function countByDevice(refusals: readonly RefusalRecord[]): ReadonlyMap<string, Counts> {
  const all = new Map<string, Counts>();
  for (const { principal, code, count } of refusals) {
    if (principal === undefined) continue;
    const counts = all.get(principal) ?? new Counts();
    all.set(principal, counts);
    counts.add(code, count);
  }
  return all;
}

class Counts {
  readonly #codes = new Map<string, number>();
  total = 0;

  add(code: string, count: number): void {
    this.total += count;
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + count);
  }

  mostlyWhat(): string {
    const [most] = [...this.#codes].toSorted(([, a], [, b]) => b - a);
    return most === undefined ? '' : whatOf(most[0]);
  }
}
