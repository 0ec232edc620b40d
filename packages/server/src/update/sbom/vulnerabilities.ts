/** Which known vulnerabilities are in which release. @module */
import {
  type PackageVersion,
  type Release,
  SBOM_BYTES_MAX,
  type Sbom,
  isAffected,
  packageKey,
  readAdvisory,
  readPurl,
  readSbom,
} from '@holdfast/firmware';
import { Refusal, refuse } from '@holdfast/protocol';
import type { Releases } from '../ports.ts';
import type { AdvisoryList } from './advisory-list.ts';
import { SEARCHED_RELEASES_MAX } from './limits.ts';

/** A vulnerability in a component of a release. */
export interface Finding {
  readonly component: string;
  readonly version: string;
  readonly advisory: NonNullable<ReturnType<typeof readAdvisory>>;
}

/** What is known of one release. */
export interface ReleaseFindings {
  readonly release: Release;
  /** Why its bill of materials was not read. */
  readonly problem: Refusal | undefined;
  readonly components: number;
  /** Components whose package URL is of no ecosystem that vulnerabilities are known of. */
  readonly unmatched: number;
  /** The worst first. */
  readonly findings: readonly Finding[];
}

interface Parts {
  readonly components: number;
  readonly packages: readonly PackageVersion[];
}

/** Searches the releases; what was found is kept until a list or the releases change. */
export class Vulnerabilities {
  readonly #list: AdvisoryList;
  readonly #releases: Pick<Releases, 'list' | 'artifact'>;
  /** Of bills of materials, by their hash, for those that are published. */
  #parts = new Map<string, Parts | Refusal>();
  #found: { readonly of: string; readonly result: Promise<ReleaseFindings[]> } | undefined;

  constructor(deps: {
    readonly list: AdvisoryList;
    readonly releases: Pick<Releases, 'list' | 'artifact'>;
  }) {
    this.#list = deps.list;
    this.#releases = deps.releases;
  }

  /** Of the newest releases that have a bill of materials. */
  find(): Promise<ReleaseFindings[]> {
    const releases = this.#releases
      .list()
      .filter(({ custom }) => custom.sbom !== undefined)
      .slice(-SEARCHED_RELEASES_MAX);
    const bills = releases.map(({ id, custom }) => `${id}=${custom.sbom?.sha256}`);
    const of = [this.#list.current?.sha256, ...bills].join(' ');
    if (this.#found?.of === of) return this.#found.result;
    const result = this.#search(releases);
    this.#found = { of, result };
    result.catch(() => (this.#found = undefined));
    return result;
  }

  async #search(releases: readonly Release[]): Promise<ReleaseFindings[]> {
    const parts = new Map<string, Parts | Refusal>();
    for (const { custom } of releases) {
      const { sha256 } = custom.sbom ?? { sha256: '' };
      parts.set(sha256, this.#parts.get(sha256) ?? (await this.#readBill(sha256)));
    }
    this.#parts = parts;
    const found = await this.#match(parts);
    return releases.map((release) => {
      const sha256 = release.custom.sbom?.sha256 ?? '';
      const of = parts.get(sha256);
      if (of === undefined || of instanceof Refusal) {
        return { release, problem: of, components: 0, unmatched: 0, findings: [] };
      }
      const findings = (found.get(sha256) ?? []).toSorted(worstFirst);
      const unmatched = of.components - of.packages.length;
      return { release, problem: undefined, components: of.components, unmatched, findings };
    });
  }

  async #readBill(sha256: string): Promise<Parts | Refusal> {
    const artifact = await this.#releases.artifact(sha256);
    if (artifact === undefined || artifact.length > SBOM_BYTES_MAX) {
      return refuse('E_UPDATE_SBOM', 'It is missing here, or too large.');
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of artifact.read(0, artifact.length)) chunks.push(chunk);
    const sbom: Sbom | Refusal = readSbom(Buffer.concat(chunks));
    if (sbom instanceof Refusal) return sbom;
    const packages = sbom.components.flatMap(({ purl }) => readPurl(purl ?? '') ?? []);
    return { components: sbom.components.length, packages };
  }

  /** Goes through the list once for all bills. */
  async #match(parts: ReadonlyMap<string, Parts | Refusal>): Promise<Map<string, Finding[]>> {
    const wanted = new Map<string, { bill: string; part: PackageVersion }[]>();
    for (const [bill, of] of parts) {
      if (of instanceof Refusal) continue;
      for (const part of of.packages) {
        const key = packageKey(part);
        wanted.set(key, [...(wanted.get(key) ?? []), { bill, part }]);
      }
    }
    const found = new Map<string, Finding[]>();
    for await (const { key, json } of this.#list.lines()) {
      const users = wanted.get(key);
      const advisory = users && readAdvisory(json());
      if (users === undefined || advisory === undefined) continue;
      for (const { bill, part } of users.filter((user) => isAffected(advisory, user.part))) {
        const finding = { component: part.name, version: part.version, advisory };
        found.set(bill, [...(found.get(bill) ?? []), finding]);
      }
    }
    return found;
  }
}

function worstFirst({ advisory: one }: Finding, { advisory: other }: Finding): number {
  const order = ['critical', 'high', 'medium', 'low', 'unknown'];
  return order.indexOf(one.severity) - order.indexOf(other.severity);
}
