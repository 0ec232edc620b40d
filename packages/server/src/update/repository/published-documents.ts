/** The metadata files that are published: kept for good, and in memory. @module */
import { type Repository, fileNameOf } from '@holdfast/firmware';
import { z } from 'zod';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import { OLD_DOCUMENT_KEPT_MS } from './limits.ts';

export const PublishedDocumentSchema = z.object({
  repository: z.enum(['image', 'director']),
  role: z.string(),
  version: z.int(),
  /** The file as it is served: JSON. */
  text: z.string(),
  /** When it ends, in milliseconds since 1970. */
  expiresMs: z.int(),
  publishedMs: z.int(),
  /** When the next version took its place. */
  replacedMs: z.int().optional(),
});
/** A published metadata file. */
export type PublishedDocument = Readonly<z.infer<typeof PublishedDocumentSchema>>;

/** One version of one role. */
type Place = Pick<PublishedDocument, 'repository' | 'role' | 'version'>;

/** All that is published in both repositories, but for what the director says to a device. */
export class PublishedDocuments {
  readonly #records: Collection<PublishedDocument>;
  readonly #byPlace = new Map<string, PublishedDocument>();
  readonly #newest = new Map<string, PublishedDocument>();
  readonly #bytes = new Map<string, Buffer>();

  constructor(store: Pick<SealedStore, 'collection'>) {
    this.#records = store.collection('update-metadata', PublishedDocumentSchema);
    for (const document of this.#records.all()) this.#keep(document);
  }

  /** The newest version of a role. */
  newest(repository: Repository, role: string): PublishedDocument | undefined {
    return this.#newest.get(`${repository}/${role}`);
  }

  /** The newest version of each role, in no particular order. */
  all(): PublishedDocument[] {
    return [...this.#newest.values()];
  }

  /** A file by its name: `3.root.json`, or `timestamp.json` for the newest version. */
  file(repository: Repository, name: string): Buffer | undefined {
    return this.#bytes.get(`${repository}/${name}`);
  }

  /** Publishes new versions, within the transaction that its caller has begun. */
  write(documents: readonly Omit<PublishedDocument, 'replacedMs'>[]): void {
    for (const document of documents) {
      const before = this.newest(document.repository, document.role);
      this.#records.write(placeOf(document), document);
      if (before === undefined || placeOf(before) === placeOf(document)) continue;
      this.#records.write(placeOf(before), { ...before, replacedMs: document.publishedMs });
    }
  }

  /** What {@link write} has written is served from now on. */
  show(documents: readonly PublishedDocument[]): void {
    for (const document of documents) {
      const before = this.newest(document.repository, document.role);
      if (before !== undefined) this.#keep({ ...before, replacedMs: document.publishedMs });
      this.#keep(document);
    }
  }

  /** Forgets versions that nobody asks for any more. Roots stay: devices need each one. */
  prune(nowMs: number): void {
    for (const document of this.#byPlace.values()) {
      const { role, replacedMs = nowMs } = document;
      if (role === 'root' || nowMs - replacedMs < OLD_DOCUMENT_KEPT_MS) continue;
      this.#records.remove(placeOf(document));
      this.#byPlace.delete(placeOf(document));
      this.#bytes.delete(placeOf(document));
    }
  }

  #keep(document: PublishedDocument): void {
    const { repository, role, version, text } = document;
    const bytes = Buffer.from(text, 'utf8');
    this.#byPlace.set(placeOf(document), document);
    this.#bytes.set(placeOf(document), bytes);
    const before = this.newest(repository, role);
    if (before !== undefined && before.version > version) return;
    this.#newest.set(`${repository}/${role}`, document);
    this.#bytes.set(`${repository}/${role}.json`, bytes);
  }
}

/**
 * Where a version stands, as its id and as what devices ask for. Timestamps have no version in
 * their name, so only the newest one is kept. TUF §6.2
 */
function placeOf({ repository, role, version }: Place): string {
  return `${repository}/${fileNameOf(role, version)}`;
}
