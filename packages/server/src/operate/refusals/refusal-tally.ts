/** Refusals counted by device, address or code. @module */
import {
  REFUSAL_GROUPS_MAX,
  type RefusalGrouping,
  type RefusalSummary,
} from '@holdfast/protocol/api';
import type { RefusalRecord } from '../../telemetry/index.ts';
import { whatOf } from '../overview/overview-view.ts';
import { isoTime } from '../views.ts';

type GroupView = RefusalSummary['groups'][number];

/** Counts what it is given, the newest first. */
export class RefusalTally {
  readonly #groups: Readonly<Record<RefusalGrouping, Map<string, Group>>> = {
    device: new Map(),
    address: new Map(),
    code: new Map(),
  };
  #total = 0;

  add(refusal: RefusalRecord): void {
    const { principal = '', address = '', code, count } = refusal;
    this.#total += count;
    for (const [by, key] of [
      ['device', principal],
      ['address', address],
      ['code', code],
    ] as const) {
      const group = this.#groups[by].get(key) ?? new Group(key, refusal.atMs);
      this.#groups[by].set(key, group);
      group.add(refusal);
    }
  }

  /** The most frequent groups first. */
  view(by: RefusalGrouping): Pick<RefusalSummary, 'groups' | 'others' | 'total'> {
    const groups = [...this.#groups[by].values()].toSorted((a, b) => b.count - a.count);
    const listed = groups.slice(0, REFUSAL_GROUPS_MAX);
    const others = groups.slice(REFUSAL_GROUPS_MAX).reduce((sum, group) => sum + group.count, 0);
    return { groups: listed.map((group) => group.view), others, total: this.#total };
  }
}

class Group {
  readonly #key: string;
  readonly #lastMs: number;
  readonly #codes = new Map<string, number>();
  readonly #devices = new Set<string>();
  readonly #addresses = new Set<string>();
  #firstMs: number;
  count = 0;

  constructor(key: string, atMs: number) {
    this.#key = key;
    this.#lastMs = atMs;
    this.#firstMs = atMs;
  }

  add({ atMs, code, count, principal, address }: RefusalRecord): void {
    this.#firstMs = atMs;
    this.count += count;
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + count);
    if (principal !== undefined) this.#devices.add(principal);
    if (address !== undefined) this.#addresses.add(address);
  }

  get view(): GroupView {
    const codes = [...this.#codes].toSorted(([, a], [, b]) => b - a);
    return {
      key: this.#key,
      count: this.count,
      firstAt: isoTime(this.#firstMs),
      lastAt: isoTime(this.#lastMs),
      codes: codes.map(([code, count]) => ({ code, what: whatOf(code), count })),
      devices: this.#devices.size,
      addresses: this.#addresses.size,
    };
  }
}
