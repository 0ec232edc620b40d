/** Releases by their ids and by the hashes of their files. @module */
import { type Published, type Release, linesOf, releasesOf } from '@holdfast/firmware';
import { filesOf } from './release-files.ts';

/** The releases of all product lines that have signers. */
export class ReleaseIndex {
  readonly all: readonly Release[];
  readonly #byId = new Map<string, Release>();
  readonly #bySha256 = new Map<string, Release>();
  readonly #named = new Set<string>();

  constructor({ targets, lines }: Published) {
    const delegated = targets === undefined ? [] : linesOf(targets.signed);
    this.all = delegated.flatMap((line) => {
      const metadata = lines.get(line);
      return metadata === undefined ? [] : releasesOf(metadata.signed);
    });
    for (const release of this.all) {
      this.#byId.set(release.id, release);
      this.#bySha256.set(release.sha256, release);
      for (const { sha256 } of filesOf(release)) this.#named.add(sha256);
    }
  }

  byId(id: string): Release | undefined {
    return this.#byId.get(id);
  }

  bySha256(sha256: string): Release | undefined {
    return this.#bySha256.get(sha256);
  }

  /** Whether a release has a file with this hash: its image, a delta, its SBOM or SUIT envelope. */
  names(sha256: string): boolean {
    return this.#named.has(sha256);
  }
}
