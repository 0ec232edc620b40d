/** What operators read: readings, refusals and acts, out of the journal. @module */
import { type Entry, REFUSAL_CODES, type RefusalCode } from '@holdfast/protocol';
import { z } from 'zod';
import { REGISTRY_MARK } from '../audit/index.ts';
import { type Journal, type JournaledEntry, readNewest } from '../journal/index.ts';
import type { DataKey, Keyring } from '../persistence/index.ts';
import { type DeviceRegistry, contentKeyRefsOf } from '../registry/index.ts';
import type { ActRecord, Histories, History, Page, Reading, RefusalRecord } from './reading.ts';

/** What is stored of a refusal besides who and which. */
const RefusalFactsSchema = z.object({
  detail: z.string(),
  count: z.int(),
  address: z.string().optional(),
  topic: z.string().optional(),
  claimed: z.string().optional(),
});

const ActFactsSchema = z.object({
  target: z.string().optional(),
  reason: z.string().optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
});

/** Where the histories come from. */
export interface HistoriesDeps {
  readonly journal: Journal;
  readonly registry: DeviceRegistry;
  readonly keyring: Pick<Keyring, 'all' | 'byRef'>;
}

/** Opens the histories of one server. */
export function openHistories(deps: HistoriesDeps): Histories {
  const { journal, registry, keyring } = deps;
  return {
    refusals: new JournalHistory(journal, () => keyring.all('refusals'), asRefusal),
    acts: new JournalHistory(journal, () => keyring.all('acts'), asAct),
    readings: (deviceId) =>
      new JournalHistory(
        journal,
        () => {
          const device = registry.byId(deviceId);
          const refs = device === undefined ? [] : contentKeyRefsOf(device);
          return refs.toReversed().map((ref) => keyring.byRef(ref));
        },
        (index, entry) => asReading(index, entry, deviceId),
      ),
  };
}

/** The items that the data keys of one purpose seal in the log. */
class JournalHistory<T> implements History<T> {
  readonly #journal: Journal;
  /** Newest first. */
  readonly #keys: () => readonly DataKey[];
  readonly #parse: (index: number, entry: Entry) => T | undefined;

  constructor(
    journal: Journal,
    keys: () => readonly DataKey[],
    parse: (index: number, entry: Entry) => T | undefined,
  ) {
    this.#journal = journal;
    this.#keys = keys;
    this.#parse = parse;
  }

  async read({ limit, before = Number.MAX_SAFE_INTEGER }: Page): Promise<T[]> {
    const keys = this.#keys();
    const items: T[] = [];
    let next = before;
    let page: JournaledEntry[];
    do {
      page = await readNewest(this.#journal, keys, { before: next, limit: limit - items.length });
      for (const { index, entry } of page) {
        const item = this.#parse(index, entry);
        if (item !== undefined) items.push(item);
        next = index;
      }
      // Commands to a device stand among its readings; another page makes up for them.
    } while (page.length > 0 && items.length < limit);
    return items;
  }

  follow(listener: (item: T) => void): () => void {
    return this.#journal.onEntry((index, entry) => {
      const item = this.#parse(index, entry);
      if (item !== undefined) listener(item);
    });
  }
}

function asReading(index: number, entry: Entry, deviceId: string): Reading | undefined {
  // A command to the device stands under its key too, but somebody else published it.
  if (entry.kind !== 'message' || entry.principal !== deviceId) return undefined;
  const { atMs, topic, kid, body } = entry;
  return { index, atMs, deviceId, topic, kid, payload: Buffer.from(body).toString('utf8') };
}

function asRefusal(index: number, entry: Entry): RefusalRecord | undefined {
  if (entry.kind !== 'refusal' || !isRefusalCode(entry.topic)) return undefined;
  const facts = RefusalFactsSchema.parse(JSON.parse(Buffer.from(entry.body).toString('utf8')));
  const principal = entry.principal === '' ? undefined : entry.principal;
  return { index, atMs: entry.atMs, code: entry.topic, principal, ...facts };
}

/** An entry as an act; undefined for one that is none. */
export function asAct(index: number, entry: Entry): ActRecord | undefined {
  // What the server noticed of itself stands among the acts.
  const isEvent = entry.kind === 'event' && entry.topic !== REGISTRY_MARK;
  if (entry.kind !== 'act' && !isEvent) return undefined;
  const facts = ActFactsSchema.parse(JSON.parse(Buffer.from(entry.body).toString('utf8')));
  return { index, atMs: entry.atMs, action: entry.topic, principal: entry.principal, ...facts };
}

function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(REFUSAL_CODES, code);
}
