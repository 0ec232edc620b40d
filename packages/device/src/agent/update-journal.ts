/** Keeps the {@link AgentRecord} on the disk: each step is there before it is taken. @module */
import type { UpdateReport } from '@holdfast/firmware';
import type { AgentDisk } from './agent-disk.ts';
import { REPORTS_WAITING_MAX, REPORT_WHY_MAX } from './limits.ts';
import { RedundantFile } from './redundant-file.ts';
import {
  type AgentRecord,
  type ConfirmedImage,
  type CurrentUpdate,
  formatRecord,
  newRecord,
  readRecord,
} from './update-record.ts';

/** The journal of one device. Only one process may have it open. */
export class UpdateJournal {
  readonly #file: RedundantFile;
  readonly #hardware: string | undefined;
  #record: AgentRecord;
  #onReport: () => void = () => {};
  /** A copy was torn; the other one, or nothing, was there to go on with. */
  readonly recovered: 'nothing' | 'from-copy' | 'anew';

  /**
   * @param factory - what is confirmed as long as no update was
   * @param path - `<path>.0` and `<path>.1` are written
   */
  constructor(disk: AgentDisk, { path, factory, hardware }: JournalOptions) {
    this.#file = new RedundantFile(disk, { path, kind: KIND });
    this.#hardware = hardware;
    const { body, isDamaged } = this.#file.read();
    const found = body === undefined ? undefined : readRecord(body);
    this.#record = found ?? newRecord(factory);
    const isLost = found === undefined && (isDamaged || body !== undefined);
    this.recovered = isLost ? 'anew' : isDamaged ? 'from-copy' : 'nothing';
    if (found === undefined) this.#introduce(factory);
  }

  get record(): AgentRecord {
    return this.#record;
  }

  /** Calls `listener` after each new report; a later call replaces it. */
  onReport(listener: () => void): void {
    this.#onReport = listener;
  }

  /** Writes the next state of the update, with the report of it, and what it confirms. */
  enter(update: CurrentUpdate, confirmed: ConfirmedImage = this.#record.confirmed): void {
    const isChange = update.state !== this.#record.update.state || update.why !== undefined;
    const report = isChange ? this.#reportOf(update, confirmed) : undefined;
    const reports = report === undefined ? this.#record.reports : [...this.#record.reports, report];
    this.#write({ confirmed, update, reports: reports.slice(-REPORTS_WAITING_MAX) });
    if (report !== undefined) this.#onReport();
  }

  /** The server has this report, which was the first. */
  delivered(report: UpdateReport): void {
    const [first, ...reports] = this.#record.reports;
    if (first === report) this.#write({ ...this.#record, reports });
  }

  /** The server hears of a device that it did not know an image of. */
  #introduce(factory: ConfirmedImage): void {
    const { update } = this.#record;
    const report = this.#reportOf(update, factory);
    this.#write({ ...this.#record, reports: report === undefined ? [] : [report] });
  }

  #reportOf(update: CurrentUpdate, confirmed: ConfirmedImage): UpdateReport | undefined {
    const { state, image, offered, why } = update;
    const release = image?.release ?? offered ?? confirmed.release;
    if (release === undefined) return undefined;
    const running = state === 'trial' ? image?.sha256 : confirmed.sha256;
    return {
      release,
      state,
      counter: confirmed.counter,
      ...(running !== undefined && { running }),
      ...(this.#hardware !== undefined && { hardware: this.#hardware }),
      ...(why !== undefined && { why: why.slice(0, REPORT_WHY_MAX) }),
    };
  }

  #write(record: AgentRecord): void {
    this.#file.write(formatRecord(record));
    this.#record = record;
  }
}

/** Where a journal is, and what it begins with. */
export interface JournalOptions {
  readonly path: string;
  readonly factory: ConfirmedImage;
  /** Said in each report. */
  readonly hardware?: string | undefined;
}

/**
 * Reads the record of a journal that another process may have open.
 * @returns undefined when there is none yet, or none is whole
 */
export function peekRecord(disk: AgentDisk, path: string): AgentRecord | undefined {
  const { body } = new RedundantFile(disk, { path, kind: KIND }).read();
  return body === undefined ? undefined : readRecord(body);
}

const KIND = 'holdfast-agent/1';
