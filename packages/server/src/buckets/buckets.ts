/** The buckets of one server: opened by name, and judged before and while they are used. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  type CancelTimer,
  type Clock,
  Fault,
  type Log,
  type RandomBytes,
} from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import { BUCKET_CHECKS, type BucketCheck } from './bucket-checks.ts';
import type { Bucket } from './bucket.ts';
import { folderBucket } from './folder-bucket.ts';
import { judgeBucket } from './judge-bucket.ts';
import { type Acceptance, type Judgement, Judgements, riskNames } from './judgements.ts';
import { JUDGEMENT_LIFE_MS, JUDGEMENT_TICK_MS } from './limits.ts';
import { s3Bucket } from './s3-bucket.ts';
import { type S3, openS3 } from './s3-client.ts';
import { type S3Name, type S3Place, parseS3Name, s3NameText } from './s3-place.ts';

const FOLDER = /^folder:(?<path>\/.*)$/u;

/** What buckets need from the rest of the server. */
export interface BucketsDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly store: Pick<SealedStore, 'collection'>;
  /** How S3 is reached; without it, there are folders only. */
  readonly s3: S3Place | undefined;
  /** Puts on record that other risks were found than before. */
  readonly onChange: (judgement: Judgement, risks: readonly BucketCheck[]) => Promise<void>;
}

/** What somebody accepts. */
export interface AcceptRequest {
  readonly name: string;
  readonly check: BucketCheck;
  readonly by: string;
  readonly reason: string;
  readonly lifeMs: number;
}

/** Opens buckets by their names, for whoever judges them elsewhere or only reads. */
export class BucketOpener {
  readonly #place: S3Place | undefined;
  #s3: Promise<S3> | undefined;

  constructor(place: S3Place | undefined) {
    this.#place = place;
  }

  /** Asks nothing of a store yet. A Refusal for a name of no known form. */
  async open(name: string): Promise<Bucket | Refusal> {
    const path = FOLDER.exec(name)?.groups?.['path'];
    if (path !== undefined) return folderBucket(path);
    const place = this.parse(name);
    return place instanceof Refusal ? place : s3Bucket(await this.s3(), place);
  }

  /** The name of a bucket of S3. */
  parse(name: string): S3Name | Refusal {
    const place = parseS3Name(name);
    if (place === undefined) {
      const detail = 'Give folder:/path, the path in full, or s3://bucket/prefix in small letters.';
      return refuse('E_OPERATE_INPUT', detail);
    }
    if (this.#place !== undefined) return place;
    const detail = 'S3 is not set up here: give --s3-region, and --s3-endpoint for your own store.';
    return refuse('E_OPERATE_INPUT', detail);
  }

  /** @throws Fault `E_BUCKETS_LIBRARY`, `E_CRYPTO_AWS_FILE`. */
  s3(): Promise<S3> {
    if (this.#place === undefined) throw new TypeError('S3 is not set up');
    this.#s3 ??= openS3(this.#place).catch((error: unknown) => {
      this.#s3 = undefined;
      throw error;
    });
    return this.#s3;
  }

  async close(): Promise<void> {
    (await this.#s3?.catch(() => undefined))?.close();
  }
}

/** Opens and judges. */
export class Buckets {
  readonly judgements: Judgements;
  readonly #deps: BucketsDeps;
  readonly #opener: BucketOpener;
  #cancelTick: CancelTimer | undefined;
  #isStopped = false;

  constructor(deps: BucketsDeps) {
    this.#deps = deps;
    this.#opener = new BucketOpener(deps.s3);
    this.judgements = new Judgements(deps.store);
  }

  /**
   * Opens a bucket to read it, or to take something away there. Whoever is about to put something
   * new there asks {@link refusalOf} first.
   */
  open(name: string): Promise<Bucket | Refusal> {
    return this.#opener.open(name);
  }

  /** Why nothing new may be put there; judges it when that was not done within a day. */
  async refusalOf(name: string): Promise<Refusal | undefined> {
    if (FOLDER.test(name)) return undefined;
    const nowMs = this.#deps.clock.nowMs();
    const before = this.judgements.read(name);
    const isGood =
      before !== undefined &&
      nowMs - before.atMs < JUDGEMENT_LIFE_MS &&
      this.judgements.openRisks(before, nowMs).length === 0;
    if (isGood) return undefined;
    const judged = await this.check(name);
    if (judged instanceof Refusal) return judged;
    const risks = this.judgements.openRisks(judged, nowMs);
    if (risks.length === 0) return undefined;
    const said = risks.map(({ check, what }) => `${check}: ${what} ${BUCKET_CHECKS[check].fix}`);
    return refuse('E_BUCKETS_RISK', `${name}: ${said.join(' ')}`);
  }

  /** Judges a bucket now. A Refusal when it has no such name, or cannot be reached. */
  async check(name: string): Promise<Judgement | Refusal> {
    const place = this.#opener.parse(name);
    if (place instanceof Refusal) return place;
    const { clock, random, onChange } = this.#deps;
    try {
      const findings = await judgeBucket(await this.#opener.s3(), place, random);
      const before = this.judgements.read(name);
      const judgement = { name: s3NameText(place), atMs: clock.nowMs(), findings };
      const risks = riskNames(judgement);
      const isSame = before !== undefined && riskNames(before).join() === risks.join();
      // On record first: what is remembered as good must have been found so.
      if (!isSame) await onChange(judgement, risks);
      this.judgements.write(judgement);
      return judgement;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return refuse('E_OPERATE_BACKUP', `${error.code}: ${error.message} ${error.fix}`);
    }
  }

  /** The acceptance of a risk that was found; it counts once it is kept by `judgements.accept`. */
  prepareAcceptance({ name, check, lifeMs, ...who }: AcceptRequest): Acceptance | Refusal {
    const finding = this.judgements.read(name)?.findings.find((one) => one.check === check);
    if (finding === undefined) {
      return refuse('E_OPERATE_NOT_FOUND', `${name} was not looked at: holdfast bucket check`);
    }
    if (finding.result === 'pass' || !BUCKET_CHECKS[check].isRequired) {
      return refuse('E_OPERATE_CONFLICT', `Nothing is refused for ${check} of ${name}.`);
    }
    const atMs = this.#deps.clock.nowMs();
    return { name, check, result: finding.result, ...who, atMs, untilMs: atMs + lifeMs };
  }

  /** Begins to judge, each day, the buckets that were judged before. */
  start(): void {
    this.#cancelTick ??= this.#deps.clock.after(JUDGEMENT_TICK_MS, () => {
      this.#cancelTick = undefined;
      void this.#judgeOld().finally(() => {
        if (!this.#isStopped) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick?.();
    await this.#opener.close();
  }

  async #judgeOld(): Promise<void> {
    const { clock, log, s3 } = this.#deps;
    if (s3 === undefined) return;
    for (const { name, atMs } of this.judgements.all()) {
      if (this.#isStopped || clock.nowMs() - atMs < JUDGEMENT_LIFE_MS) continue;
      const event = { 'event.action': 'bucket.check', 'event.outcome': 'failure', bucket: name };
      try {
        const judged = await this.check(name);
        if (!(judged instanceof Refusal)) continue;
        log.warn({ ...event, 'error.message': judged.detail }, 'a bucket could not be judged');
      } catch (error) {
        log.error({ ...event, 'error.message': String(error) }, 'a bucket could not be judged');
      }
    }
  }
}
