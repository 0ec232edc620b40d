/** How much is stored that nothing needs: looked up now and then, not for each request. @module */
import {
  type ArtifactTotal,
  type StoredArtifacts,
  totalOf,
  unneededOf,
} from '../../update/index.ts';
import { storedArtifacts } from '../artifact-views.ts';
import type { ApiDeps } from '../deps.ts';
import { UNNEEDED_LOOK_MS } from '../limits.ts';

/** What the overview tells of them. */
export class UnneededArtifacts {
  readonly #clock: ApiDeps['clock'];
  readonly #stored: Pick<StoredArtifacts, 'list'>;
  #latest: { readonly total: ArtifactTotal; readonly atMs: number } | undefined;

  constructor(deps: Parameters<typeof storedArtifacts>[0]) {
    this.#clock = deps.clock;
    this.#stored = storedArtifacts(deps);
  }

  /** Their number and size, as of a few minutes ago at most. */
  total(): ArtifactTotal {
    const atMs = this.#clock.monotonicMs();
    if (this.#latest === undefined || atMs - this.#latest.atMs >= UNNEEDED_LOOK_MS) {
      this.#latest = { total: totalOf(unneededOf(this.#stored.list())), atMs };
    }
    return this.#latest.total;
  }
}
