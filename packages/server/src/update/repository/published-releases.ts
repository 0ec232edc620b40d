/** Every release that was ever published, those that were taken back too: kept for good. @module */
import { type Release, fromBytes, lineOfRole, releasesOf } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { z } from 'zod';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import type { PublishedDocument } from './published-documents.ts';
import { RELEASE_FILE_KINDS, type ReleaseFiles, filesOf } from './release-files.ts';

const KnownSchema = z.object({
  sha256: z.string(),
  path: z.string(),
  counter: z.int(),
  /** The two below are missing in what versions before have noted. */
  id: z.string().optional(),
  /** All that it ever named, taken back or not. */
  files: z.array(z.object({ sha256: z.string(), kind: z.enum(RELEASE_FILE_KINDS) })).optional(),
});
type Known = Readonly<z.infer<typeof KnownSchema>>;

/** What each id stands for: who reported on a release, and who tested it, meant this artifact. */
export class PublishedReleases {
  readonly #records: Collection<Known>;

  constructor(store: Pick<SealedStore, 'collection'>) {
    this.#records = store.collection('update-release', KnownSchema);
  }

  /** Notes the releases of documents, within the transaction that its caller has begun. */
  write(documents: readonly PublishedDocument[]): void {
    for (const { role, text } of documents) {
      if (lineOfRole(role) === undefined) continue;
      const metadata = fromBytes('targets', Buffer.from(text, 'utf8'));
      if (metadata instanceof Refusal) throw new Error(metadata.detail);
      this.note(releasesOf(metadata.signed));
    }
  }

  /** Notes releases, within the transaction that its caller has begun. */
  note(releases: readonly Release[]): void {
    for (const release of releases) this.#note(release);
  }

  /** Every release, with all files that it ever named. */
  all(): ReleaseFiles[] {
    return this.#records.all().map(({ id, path, sha256, files }) => ({
      id: id ?? idOf(path),
      files: files ?? [{ sha256, kind: 'image' }],
    }));
  }

  /** Why a release cannot be published; undefined when it can. */
  problemOf({ id, sha256, path, custom }: Release): string | undefined {
    const known = this.#records.read(id);
    const isSame =
      known === undefined ||
      (known.sha256 === sha256 && known.path === path && known.counter === custom.counter);
    if (isSame) return undefined;
    return `${id} was published with another artifact, path or counter: take the next version.`;
  }

  #note(release: Release): void {
    const { id, sha256, path, custom } = release;
    const known = this.#records.read(id);
    const before = known?.files ?? [];
    const named = new Set(before.map((file) => file.sha256));
    const fresh = filesOf(release).filter((file) => !named.has(file.sha256));
    if (known?.id !== undefined && fresh.length === 0) return;
    const files = [...before, ...fresh.map(({ sha256: of, kind }) => ({ sha256: of, kind }))];
    const facts = known ?? { sha256, path, counter: custom.counter };
    this.#records.write(id, { ...facts, id, files });
  }
}

/** A path begins with the line and the version. */
function idOf(path: string): string {
  const [line = '', version = ''] = path.split('/');
  return `${line}@${version}`;
}
