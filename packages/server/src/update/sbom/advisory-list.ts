/** The list of known vulnerabilities that somebody brought: one artifact, sealed as all are. @module */
import { ADVISORY_FILE_HEAD } from '@holdfast/firmware';
import { Refusal, refuse } from '@holdfast/protocol';
import { z } from 'zod';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import type { StoredArtifact } from '../ports.ts';
import type { ArtifactStore } from '../repository/artifact-store.ts';
import { ADVISORY_LINE_BYTES_MAX } from './limits.ts';

const RecordSchema = z.object({
  sha256: z.string(),
  /** Advisories in it. */
  count: z.int(),
  importedMs: z.int(),
});
/** Which list counts. */
export type AdvisoryListRecord = Readonly<z.infer<typeof RecordSchema>>;

/** A line of the list. */
export interface AdvisoryLine {
  /** Of the package. */
  readonly key: string;
  /** The advisory, not read yet. */
  readonly json: () => string;
}

/** The one list that counts; a new one takes its place. */
export class AdvisoryList {
  readonly #records: Collection<AdvisoryListRecord>;
  readonly #artifacts: Pick<ArtifactStore, 'get' | 'remove'>;
  #current: AdvisoryListRecord | undefined;

  constructor({
    store,
    artifacts,
  }: {
    readonly store: Pick<SealedStore, 'collection'>;
    readonly artifacts: Pick<ArtifactStore, 'get' | 'remove'>;
  }) {
    this.#records = store.collection('advisory-list', RecordSchema);
    this.#artifacts = artifacts;
    this.#current = this.#records.read(ONLY);
  }

  get current(): AdvisoryListRecord | undefined {
    return this.#current;
  }

  /** How many advisories an artifact lists; a refusal when it is no list. */
  async check(sha256: string): Promise<number | Refusal> {
    const artifact = this.#artifacts.get(sha256);
    if (artifact === undefined) return refuse('E_UPDATE_ARTIFACT', `${sha256} is not stored here.`);
    let count = 0;
    for await (const line of linesOf(artifact)) {
      if (line instanceof Refusal) return line;
      count += 1;
    }
    return count;
  }

  /**
   * Makes a checked list the one that counts, and removes the one before. Refuses
   * `E_UPDATE_ARTIFACT` when somebody has removed it since it was checked.
   */
  async set(record: AdvisoryListRecord): Promise<Refusal | undefined> {
    const before = this.#current;
    if (this.#artifacts.get(record.sha256) === undefined) {
      return refuse('E_UPDATE_ARTIFACT', `${record.sha256} is not stored here.`);
    }
    this.#records.write(ONLY, record);
    this.#current = record;
    if (before !== undefined && before.sha256 !== record.sha256) {
      await this.#artifacts.remove(before.sha256);
    }
    return undefined;
  }

  /** The lines of the list that counts; none when it is missing, as after a restored backup. */
  async *lines(): AsyncGenerator<AdvisoryLine> {
    const artifact = this.#current && this.#artifacts.get(this.#current.sha256);
    if (artifact === undefined) return;
    for await (const line of linesOf(artifact)) if (!(line instanceof Refusal)) yield line;
  }
}

/** Each chunk is awaited, so that a list of hundreds of megabytes holds nothing else up. */
async function* linesOf(artifact: StoredArtifact): AsyncGenerator<AdvisoryLine | Refusal> {
  let rest = Buffer.alloc(0);
  let isFirst = true;
  for await (const chunk of artifact.read(0, artifact.length)) {
    const bytes = Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      const line = bytes.subarray(at, end);
      at = end + 1;
      if (isFirst && line.toString() !== ADVISORY_FILE_HEAD) return yield wrong();
      if (!isFirst) yield readLine(line);
      isFirst = false;
    }
    rest = bytes.subarray(at);
    if (rest.length > ADVISORY_LINE_BYTES_MAX) return yield wrong();
  }
  if (isFirst || rest.length > 0) yield wrong();
}

function readLine(line: Buffer): AdvisoryLine | Refusal {
  const tab = line.indexOf(TAB);
  if (tab < 1 || line.length > ADVISORY_LINE_BYTES_MAX) return wrong();
  return { key: line.toString('utf8', 0, tab), json: () => line.toString('utf8', tab + 1) };
}

function wrong(): Refusal {
  return refuse('E_UPDATE_ADVISORIES', 'It is no list of holdfast fw vulnerabilities import.');
}

const ONLY = 'current';
const NEWLINE = 0x0a;
const TAB = 0x09;
