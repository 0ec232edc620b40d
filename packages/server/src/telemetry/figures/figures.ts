/** What the server counts, over the last hour, day and month. @module */
import {
  FIGURE_SPANS,
  FIGURE_SPAN_NAMES,
  type FigureSpan,
  type Figures as FigureLines,
} from '@holdfast/protocol/api';
import type { CancelTimer, Clock, Log } from '../../kernel/index.ts';
import type { SealedStore } from '../../persistence/index.ts';
import { linesOf, totalsOf } from './figure-lines.ts';
import { FigureRecords, type FigureRings } from './figure-records.ts';
import { FigureRing } from './figure-ring.ts';
import { type FigureSample, refusedOf } from './figure-step.ts';
import { FIGURES_WRITE_MS, SAMPLE_MS } from './limits.ts';

/** What was counted since the start of the server, and what is open now. */
export interface Traffic {
  readonly accepted: number;
  /** By code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly connections: number;
  readonly sessions: number;
}

/** What the figures need. */
export interface FiguresDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<SealedStore, 'collection' | 'transaction'>;
  readonly read: () => Traffic;
}

/** Refusals of the last minutes, and those of the day before them. */
export interface RecentRefusals {
  readonly lately: number;
  readonly before: number;
  /** How much of that day was looked at, in milliseconds. */
  readonly beforeMs: number;
}

interface Look {
  readonly atMs: number;
  readonly traffic: Traffic;
}

/**
 * Reads the counters that there are every `SAMPLE_MS`, and keeps what was counted in between. So a
 * message costs nothing more.
 */
export class Figures {
  readonly #deps: FiguresDeps;
  readonly #rings: FigureRings;
  readonly #records: FigureRecords;
  #last: Look;
  #newest: FigureSample | undefined;
  #writtenMs: number;
  #isWriting = false;
  #isWriteFailing = false;
  #cancel: CancelTimer = () => {};

  constructor(deps: FiguresDeps) {
    this.#deps = deps;
    const { clock, store } = deps;
    this.#rings = {
      hour: new FigureRing(FIGURE_SPANS.hour),
      day: new FigureRing(FIGURE_SPANS.day),
      month: new FigureRing(FIGURE_SPANS.month),
    };
    this.#records = new FigureRecords(store);
    this.#records.load(this.#rings, clock.nowMs());
    this.#last = this.#look();
    this.#writtenMs = clock.monotonicMs();
  }

  /** Looks from now on, whenever a step of the last hour ends. */
  start(): void {
    const { clock } = this.#deps;
    const delayMs = SAMPLE_MS - (clock.nowMs() % SAMPLE_MS);
    this.#cancel = clock.after(delayMs, () => {
      this.sample();
      if (clock.monotonicMs() - this.#writtenMs >= FIGURES_WRITE_MS) this.#writeSoon();
      this.start();
    });
  }

  /** Writes what is not on the disk yet; nothing is looked at any more. */
  stop(): void {
    this.#cancel();
    this.sample();
    this.#write();
    this.#isWriting = false;
  }

  /** Keeps what was counted since the last time. */
  sample(): void {
    const look = this.#look();
    const before = this.#last;
    const ms = look.atMs - before.atMs;
    if (ms <= 0) return;
    this.#last = look;
    const sample = between(before, look, ms);
    this.#newest = sample;
    // The middle of what was looked at: a timer may be some milliseconds early, or late.
    const atMs = this.#deps.clock.nowMs() - Math.min(ms, SAMPLE_MS) / 2;
    for (const span of FIGURE_SPAN_NAMES) {
      this.#records.note(span, this.#rings[span].add(atMs, sample));
    }
  }

  /** A whole span as lines, oldest first. */
  lines(span: FigureSpan): FigureLines {
    return linesOf(span, this.#rings[span], this.#deps.clock.nowMs());
  }

  /** Messages in a second, over the last ten seconds or so. */
  get rates(): { readonly acceptedPerS: number; readonly refusedPerS: number } {
    const sample = this.#newest ?? this.#sinceLast();
    if (sample === undefined) return { acceptedPerS: 0, refusedPerS: 0 };
    const { accepted, ms } = sample;
    return {
      acceptedPerS: (accepted * 1_000) / ms,
      refusedPerS: (refusedOf(sample) * 1_000) / ms,
    };
  }

  /** Refusals of the last hour by code, those of this moment among them. */
  refusedInHour(): Map<string, number> {
    const steps = this.#rings.hour.until(this.#deps.clock.nowMs()).map(({ step }) => step);
    const totals = totalsOf(steps);
    for (const [code, count] of Object.entries(this.#sinceLast()?.refused ?? {})) {
      totals.set(code, (totals.get(code) ?? 0) + count);
    }
    return totals;
  }

  /** How much was refused in the last `ms`, and how much of the day before that is known. */
  refusedLately(ms: number): RecentRefusals {
    const nowMs = this.#deps.clock.nowMs();
    const ring = this.#rings.day;
    const sums = { lately: 0, before: 0, beforeMs: 0 };
    for (const { number, step } of ring.until(nowMs)) {
      if (step === undefined) continue;
      if (number * ring.stepMs >= nowMs - ms) {
        sums.lately += refusedOf(step);
      } else {
        sums.before += refusedOf(step);
        sums.beforeMs += step.ms;
      }
    }
    return sums;
  }

  #sinceLast(): FigureSample | undefined {
    const look = this.#look();
    const ms = look.atMs - this.#last.atMs;
    return ms <= 0 ? undefined : between(this.#last, look, ms);
  }

  #look(): Look {
    const atMs = Math.round(this.#deps.clock.monotonicMs());
    return { atMs, traffic: this.#deps.read() };
  }

  /** In a turn of its own: a timer that was late for minutes writes once. */
  #writeSoon(): void {
    this.#writtenMs = this.#deps.clock.monotonicMs();
    if (this.#isWriting) return;
    this.#isWriting = true;
    setImmediate(() => {
      if (this.#isWriting) this.#write();
      this.#isWriting = false;
    });
  }

  #write(): void {
    const { log } = this.#deps;
    try {
      this.#records.write(this.#rings);
      this.#isWriteFailing = false;
    } catch (error) {
      // They are in memory, and tried again in a minute: no reason to stop anything.
      const event = { 'event.action': 'figures.write', 'event.outcome': 'failure' };
      if (!this.#isWriteFailing) log.warn({ ...event, 'error.message': String(error) }, 'not kept');
      this.#isWriteFailing = true;
    }
  }
}

function between(before: Look, after: Look, ms: number): FigureSample {
  const refused: Record<string, number> = {};
  for (const [code, count] of Object.entries(after.traffic.refused)) {
    const more = count - (before.traffic.refused[code] ?? 0);
    if (more > 0) refused[code] = more;
  }
  return {
    ms,
    accepted: Math.max(0, after.traffic.accepted - before.traffic.accepted),
    refused,
    connectionMs: after.traffic.connections * ms,
  };
}
