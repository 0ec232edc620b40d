/** Sends what the journal has to report, in order, when the server can be reached. @module */
import type { UpdateJournal } from './update-journal.ts';
import type { UpdateServer } from './update-server.ts';

/** Sends one report after the other; each is taken off the journal when the server has it. */
export class ReportSender {
  readonly #journal: UpdateJournal;
  readonly #server: Pick<UpdateServer, 'report'>;
  readonly #onFailure: (error: unknown) => void;
  #running: Promise<void> | undefined;

  constructor(
    journal: UpdateJournal,
    {
      server,
      onFailure,
    }: {
      readonly server: Pick<UpdateServer, 'report'>;
      readonly onFailure: (error: unknown) => void;
    },
  ) {
    this.#journal = journal;
    this.#server = server;
    this.#onFailure = onFailure;
  }

  /** Resolves when all is sent, or the server cannot be reached. Never rejects. */
  flush(): Promise<void> {
    if (this.#journal.record.reports.length === 0) return Promise.resolve();
    this.#running ??= this.#send();
    return this.#running;
  }

  async #send(): Promise<void> {
    try {
      for (;;) {
        const [first] = this.#journal.record.reports;
        if (first === undefined) return;
        await this.#server.report(first);
        this.#journal.delivered(first);
      }
    } catch (error) {
      this.#onFailure(error);
    } finally {
      // In the same moment in which nothing was left: a report that comes now is sent anew.
      this.#running = undefined;
    }
  }
}
