/** Refusals of devices that have an owner: one look at the log serves all owners. @module */
import type { OwnedRefusalKind } from '@holdfast/protocol/api';
import type { RefusalRecord } from '../../telemetry/index.ts';
import type { ApiDeps } from '../deps.ts';
import { OWNED_REFUSALS_LIFE_FACTOR, REFUSAL_SUMMARY_LIFE_MS } from '../limits.ts';
import { type LookedBack, lookBack } from './look-back.ts';
import { ownedKindOf } from './owned-kinds.ts';

/** The refusals of one kind. */
export interface OwnedRefusals {
  readonly kind: OwnedRefusalKind;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Looked extends LookedBack {
  /** By device, the newest first. */
  readonly byDevice: ReadonlyMap<string, readonly Refused[]>;
}

type Refused = Pick<RefusalRecord, 'atMs' | 'code' | 'count'>;

/** Refusals of the last day, by device. Who was only claimed to be a device is nobody here. */
export class OwnedRefusalsReader {
  readonly #deps: Pick<ApiDeps, 'clock' | 'histories' | 'owners'>;
  #endsAtMs = -Infinity;
  #looked: Promise<Looked> | undefined;

  constructor(deps: Pick<ApiDeps, 'clock' | 'histories' | 'owners'>) {
    this.#deps = deps;
  }

  /** Those of a device from a time on, the newest kind first. */
  async of(
    device: string,
    fromMs: number,
  ): Promise<{ readonly sinceMs: number; readonly kinds: readonly OwnedRefusals[] }> {
    const { byDevice, sinceMs } = await this.#look();
    const kinds = new Map<OwnedRefusalKind, OwnedRefusals>();
    for (const { atMs, code, count } of byDevice.get(device) ?? []) {
      if (atMs < fromMs) break;
      const kind = ownedKindOf(code);
      const { count: before = 0, lastMs = atMs } = kinds.get(kind) ?? {};
      kinds.set(kind, { kind, count: before + count, firstMs: atMs, lastMs });
    }
    return { sinceMs: Math.max(sinceMs, fromMs), kinds: [...kinds.values()] };
  }

  #look(): Promise<Looked> {
    if (this.#looked !== undefined && this.#deps.clock.monotonicMs() < this.#endsAtMs) {
      return this.#looked;
    }
    // As long as it takes, whoever comes waits for the same look.
    this.#endsAtMs = Infinity;
    this.#looked = this.#lookFor();
    return this.#looked;
  }

  /** A look, and for how long it is shown: a failure to nobody but those who waited for it. */
  async #lookFor(): Promise<Looked> {
    const { clock } = this.#deps;
    const beganMs = clock.monotonicMs();
    let lifeMs = 0;
    try {
      const looked = await this.#lookNow();
      const tookMs = clock.monotonicMs() - beganMs;
      lifeMs = Math.max(tookMs * OWNED_REFUSALS_LIFE_FACTOR, REFUSAL_SUMMARY_LIFE_MS);
      return looked;
    } finally {
      this.#endsAtMs = clock.monotonicMs() + lifeMs;
    }
  }

  async #lookNow(): Promise<Looked> {
    const { clock, histories, owners } = this.#deps;
    const byDevice = new Map<string, Refused[]>();
    const source = { clock, history: histories.refusals };
    const looked = await lookBack(source, 'day', ({ principal, atMs, code, count }) => {
      if (principal === undefined || owners.ownerOf(principal) === undefined) return;
      const known = byDevice.get(principal);
      if (known === undefined) byDevice.set(principal, [{ atMs, code, count }]);
      else known.push({ atMs, code, count });
    });
    return { byDevice, ...looked };
  }
}
