/** Puts refusals on the audit log, the log and the metrics, and keeps a flood of them small. @module */
import type { Entry, Refusal } from '@holdfast/protocol';
import type { Clock, Log, RefusalReport } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import type { Journal } from './journal.ts';
import {
  REFUSALS_OF_A_KIND_MAX,
  REFUSALS_PER_SECOND_MAX,
  REFUSAL_KINDS_MAX,
  REFUSAL_TEXT_MAX,
  STRANGER_TEXT_MAX,
} from './limits.ts';

/** What the recorder needs. */
export interface RefusalRecorderDeps {
  readonly journal: Pick<Journal, 'append' | 'isHealthy' | 'isPressed'>;
  /** The data key of refusals, which is replaced from time to time. */
  readonly key: () => DataKey;
  readonly clock: Clock;
  readonly log: Log;
  /** Counts each refusal, for the metrics. */
  readonly count: (refusal: Refusal) => void;
}

/** Refusals of one code, principal and address, within a second or while nothing can be stored. */
interface RefusalKind {
  latest: RefusalReport;
  recordedCount: number;
  summedCount: number;
}

/**
 * Records every refusal: one by one up to a rate, and summed up with a count beyond it. While the
 * disk fails or is behind, all are summed up and kept until it can take them: what waits for it
 * must not grow with what strangers send.
 */
export class RefusalRecorder {
  readonly #deps: RefusalRecorderDeps;
  /** What came in this second, by kind, and what is summed up and could not be written before. */
  readonly #kinds = new Map<string, RefusalKind>();
  #recordedInSecond = 0;
  #isSecondRunning = false;

  constructor(deps: RefusalRecorderDeps) {
    this.#deps = deps;
  }

  /** A `ReportRefusal`. */
  readonly report = (report: RefusalReport): void => {
    this.#deps.count(report.refusal);
    this.#startSecond();
    const kind = this.#kindOf(report);
    const isRare = kind.recordedCount < REFUSALS_OF_A_KIND_MAX;
    if (isRare && this.#recordedInSecond < REFUSALS_PER_SECOND_MAX && this.#canStore) {
      kind.recordedCount += 1;
      this.#recordedInSecond += 1;
      this.#record(report, 1);
    } else {
      kind.latest = report;
      kind.summedCount += 1;
    }
  };

  /** Records what is summed up so far, whatever the disk does, before the journal closes. */
  flush(): void {
    for (const { latest, summedCount } of this.#kinds.values()) {
      if (summedCount > 0) this.#record(latest, summedCount);
    }
    this.#kinds.clear();
  }

  get #canStore(): boolean {
    const { journal } = this.#deps;
    return journal.isHealthy && !journal.isPressed;
  }

  #startSecond(): void {
    if (this.#isSecondRunning) return;
    this.#isSecondRunning = true;
    this.#deps.clock.after(1_000, () => {
      this.#isSecondRunning = false;
      this.#recordedInSecond = 0;
      this.#endSecond();
      if (this.#kinds.size > 0) this.#startSecond();
    });
  }

  /** Records the sums as far as the journal takes them, and keeps the others. */
  #endSecond(): void {
    for (const [name, kind] of this.#kinds) {
      kind.recordedCount = 0;
      if (kind.summedCount > 0) {
        if (!this.#canStore) continue;
        this.#record(kind.latest, kind.summedCount);
      }
      this.#kinds.delete(name);
    }
  }

  #kindOf(report: RefusalReport): RefusalKind {
    const { refusal, principal = '', address = '' } = report;
    // A stranger has as many addresses as he likes: only the code bounds what he can make us keep.
    const exact = principal === '' ? refusal.code : `${refusal.code} ${principal} ${address}`;
    const isFull = this.#kinds.size >= REFUSAL_KINDS_MAX && !this.#kinds.has(exact);
    const name = isFull ? refusal.code : exact;
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { latest: report, recordedCount: 0, summedCount: 0 };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #record(report: RefusalReport, count: number): void {
    const { journal, key, clock, log } = this.#deps;
    const { refusal } = report;
    const [detail, principal, address, topic, claimed] = [
      refusal.detail,
      report.principal,
      report.address,
      report.topic,
      report.claimed,
    ].map((text) => text?.slice(0, report.principal ? REFUSAL_TEXT_MAX : STRANGER_TEXT_MAX));
    const entry: Entry = {
      kind: 'refusal',
      atMs: clock.nowMs(),
      principal: principal ?? '',
      topic: refusal.code,
      kid: '',
      body: Buffer.from(JSON.stringify({ detail, count, address, topic, claimed }), 'utf8'),
    };
    journal.append(entry, { key: key(), done: () => {} });
    log.warn(
      {
        'event.action': 'refusal',
        'event.code': refusal.code,
        'event.reason': detail,
        'user.name': principal,
        'source.ip': address,
        'url.path': topic,
        count: count > 1 ? count : undefined,
      },
      'refused',
    );
  }
}
