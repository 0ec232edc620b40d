/** The old checksums that clients of hawkBit ask for. They protect from accidents alone. @module */
import { createHash } from 'node:crypto';
import type { Releases } from '../ports.ts';
import { CHECKSUMS_MAX } from './limits.ts';

/** In hexadecimal. */
export interface OldChecksums {
  readonly md5: string;
  readonly sha1: string;
}

/** Computes them by reading an artifact once; whoever asks meanwhile waits for the same reading. */
export class Checksums {
  readonly #releases: Pick<Releases, 'artifact'>;
  readonly #known = new Map<string, Promise<OldChecksums>>();

  constructor(releases: Pick<Releases, 'artifact'>) {
    this.#releases = releases;
  }

  /** @throws when the artifact is not there, or damaged. */
  of(sha256: string): Promise<OldChecksums> {
    const known = this.#known.get(sha256);
    if (known !== undefined) return known;
    const computing = this.#compute(sha256);
    this.#known.set(sha256, computing);
    computing.catch(() => this.#known.delete(sha256));
    const [oldest] = this.#known.keys();
    if (this.#known.size > CHECKSUMS_MAX && oldest !== undefined) this.#known.delete(oldest);
    return computing;
  }

  async #compute(sha256: string): Promise<OldChecksums> {
    const artifact = await this.#releases.artifact(sha256);
    if (artifact === undefined) throw new Error(`there is no artifact ${sha256}`);
    const md5 = createHash('md5');
    const sha1 = createHash('sha1');
    for await (const chunk of artifact.read(0, artifact.length)) {
      md5.update(chunk);
      sha1.update(chunk);
    }
    return { md5: md5.digest('hex'), sha1: sha1.digest('hex') };
  }
}
