/** What was found at each bucket, and which risks somebody has accepted. @module */
import { z } from 'zod';
import type { Collection, SealedStore } from '../persistence/index.ts';
import {
  BUCKET_CHECKS,
  BUCKET_CHECK_NAMES,
  type BucketCheck,
  type Finding,
} from './bucket-checks.ts';
import { JUDGEMENTS_MAX } from './limits.ts';

const check = z.enum(BUCKET_CHECK_NAMES);
const result = z.enum(['pass', 'fail', 'unknown']);

const JudgementSchema = z.object({
  /** `s3://bucket/prefix`. */
  name: z.string(),
  atMs: z.int(),
  findings: z.array(z.object({ check, result, what: z.string() })),
});
/** A bucket as it was found. */
export type Judgement = Readonly<z.infer<typeof JudgementSchema>>;

const AcceptanceSchema = z.object({
  name: z.string(),
  check,
  /** How the check came out when it was accepted; a worse result is not accepted by it. */
  result,
  by: z.string(),
  reason: z.string(),
  atMs: z.int(),
  untilMs: z.int(),
});
/** A risk that somebody has accepted. */
export type Acceptance = Readonly<z.infer<typeof AcceptanceSchema>>;

/** Judgements and acceptances, in the sealed store. */
export class Judgements {
  readonly #judgements: Collection<Judgement>;
  readonly #acceptances: Collection<Acceptance>;

  constructor(store: Pick<SealedStore, 'collection'>) {
    this.#judgements = store.collection('bucket-judgement', JudgementSchema);
    this.#acceptances = store.collection('bucket-acceptance', AcceptanceSchema);
  }

  /** In the order of their names. */
  all(): Judgement[] {
    return this.#judgements.all().sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  read(name: string): Judgement | undefined {
    return this.#judgements.read(name);
  }

  /**
   * Remembers a judgement; beyond a number, the oldest one of another bucket makes room. Who may
   * only look at buckets must not take away what somebody has accepted: such a bucket stays.
   */
  write(judgement: Judgement): void {
    this.#judgements.write(judgement.name, judgement);
    const accepted = new Set(
      this.#acceptances
        .all()
        .filter(({ untilMs }) => untilMs > judgement.atMs)
        .map(({ name }) => name),
    );
    const others = this.#judgements
      .all()
      .filter(({ name }) => name !== judgement.name && !accepted.has(name));
    others.sort((a, b) => b.atMs - a.atMs);
    for (const { name } of others.slice(JUDGEMENTS_MAX - 1)) {
      this.#judgements.remove(name);
      for (const one of BUCKET_CHECK_NAMES) this.#acceptances.remove(`${one} ${name}`);
    }
  }

  accept(acceptance: Acceptance): void {
    this.#acceptances.write(`${acceptance.check} ${acceptance.name}`, acceptance);
  }

  /** What was accepted of a finding, if it counts for how the check came out now. */
  acceptanceOf(name: string, finding: Finding, nowMs: number): Acceptance | undefined {
    const found = this.#acceptances.read(`${finding.check} ${name}`);
    if (found === undefined || found.untilMs <= nowMs) return undefined;
    return found.result === finding.result || found.result === 'fail' ? found : undefined;
  }

  /** The findings for which the bucket is refused. */
  openRisks({ name, findings }: Judgement, nowMs: number): Finding[] {
    return findings.filter(
      (finding) => isRisk(finding) && this.acceptanceOf(name, finding, nowMs) === undefined,
    );
  }
}

/** Whether a finding has to be mended or accepted before the bucket is used. */
export function isRisk({ check: name, result: found }: Finding): boolean {
  return BUCKET_CHECKS[name].isRequired && found !== 'pass';
}

/** The names of the checks that are risks, for comparing two judgements. */
export function riskNames({ findings }: Pick<Judgement, 'findings'>): BucketCheck[] {
  return findings.filter(isRisk).map((finding) => finding.check);
}
