/** What was done to one thing: an index of the acts by their target, made as far as it is asked for. @module */
import type { Entry } from '@holdfast/protocol';
import type { EntryPlace } from '../audit/index.ts';
import { type Journal, readNewest } from '../journal/index.ts';
import type { DataKey } from '../persistence/index.ts';
import { asAct } from './histories.ts';
import { ACTS_PAGE, ACTS_SCANNED_MAX } from './limits.ts';
import type { ActRecord, Page } from './reading.ts';

/** Acts on one thing, newest first. */
export interface TargetActsPage {
  readonly acts: readonly ActRecord[];
  /** What to give as `before` for those before; undefined when there are none. */
  readonly next: number | undefined;
}

/** What tells the target of an act or an event. */
export interface AboutSomething {
  readonly target?: string | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** Where the acts come from. */
export interface TargetActsDeps {
  readonly journal: Pick<Journal, 'read' | 'fetch' | 'size'>;
  /** The data keys of acts, newest first. */
  readonly keys: () => readonly DataKey[];
}

/**
 * Which acts have which target. New ones are noted as they are recorded; older ones are looked
 * through once, backwards, as far as somebody asks, and never again until the next start.
 */
export class TargetActs {
  readonly #deps: TargetActsDeps;
  /** Newest first. */
  readonly #older = new Map<string, EntryPlace[]>();
  /** Oldest first. */
  readonly #newer = new Map<string, EntryPlace[]>();
  /** All acts from here on are in the index. */
  #from: number;
  #scan: Promise<void> = Promise.resolve();

  constructor(deps: TargetActsDeps) {
    this.#deps = deps;
    this.#from = deps.journal.size;
  }

  /** An act, or an event, was recorded. */
  note(act: AboutSomething, place: EntryPlace): void {
    const target = targetOf(act);
    if (target === undefined) return;
    const known = this.#newer.get(target);
    if (known === undefined) this.#newer.set(target, [place]);
    else known.push(place);
  }

  /**
   * The acts on a target. A page can be short and have a `next`: so much was looked through, and
   * there is more.
   */
  async of(
    target: string,
    { limit, before = Number.MAX_SAFE_INTEGER }: Page,
  ): Promise<TargetActsPage> {
    const isEnough = (): boolean => this.#placesOf(target, before).length > limit;
    if (!isEnough()) await this.#lookFurther(isEnough);
    const places = this.#placesOf(target, before);
    const page = places.slice(0, limit);
    const entries = await this.#deps.journal.fetch(page);
    const acts = entries.map((found) => found && asAct(found.index, found.entry));
    const last = page.at(-1)?.index;
    const next = places.length > limit ? last : this.#from > 0 ? this.#from : undefined;
    return { acts: acts.filter((act) => act !== undefined), next };
  }

  /** Newest first. */
  #placesOf(target: string, before: number): EntryPlace[] {
    const newer = this.#newer.get(target) ?? [];
    const older = this.#older.get(target) ?? [];
    return [...newer.toReversed(), ...older].filter(({ index }) => index < before);
  }

  /** One at a time: what one has looked through the next one need not. */
  #lookFurther(isEnough: () => boolean): Promise<void> {
    const scan = this.#scan.then(() => this.#lookBack(isEnough));
    this.#scan = scan.catch(() => {});
    return scan;
  }

  async #lookBack(isEnough: () => boolean): Promise<void> {
    const { journal, keys } = this.#deps;
    for (let seen = 0; seen < ACTS_SCANNED_MAX && this.#from > 0 && !isEnough();) {
      const page = await readNewest(journal, keys(), { before: this.#from, limit: ACTS_PAGE });
      for (const { index, keyRef, entry } of page) this.#addOlder(entry, { index, keyRef });
      this.#from = page.length < ACTS_PAGE ? 0 : (page.at(-1)?.index ?? 0);
      seen += page.length;
    }
  }

  #addOlder(entry: Required<Entry>, place: EntryPlace): void {
    const act = asAct(place.index, entry);
    const target = act && targetOf(act);
    if (target === undefined) return;
    const known = this.#older.get(target);
    if (known === undefined) this.#older.set(target, [place]);
    else known.push(place);
  }
}

/** What the server noticed of a device names it among its facts. */
function targetOf({ target, facts }: AboutSomething): string | undefined {
  const device = facts?.['device'];
  return target ?? (typeof device === 'string' ? device : undefined);
}
