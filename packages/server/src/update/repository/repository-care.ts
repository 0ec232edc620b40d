/** Looks after what ends: signs again in time, and tells people of what only they can renew. @module */
import type { Repository } from '@holdfast/firmware';
import type { RecordEvent } from '../../audit/index.ts';
import type { CancelTimer, Clock, Log } from '../../kernel/index.ts';
import type { ImageRepository } from './image-repository.ts';
import { ALARM_REPEAT_MS, ONLINE_ALARM_MS, PEOPLE_ALARM_MS, RESIGN_CHECK_MS } from './limits.ts';

/** When the newest version of a role ends. */
export interface RoleEnd {
  readonly repository: Repository;
  readonly role: string;
  readonly version: number;
  readonly expiresMs: number;
  /** True: somebody has to act now. */
  readonly isEndingSoon: boolean;
}

/** What the care needs. */
export interface RepositoryCareDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly recordEvent: RecordEvent;
  readonly repository: Pick<ImageRepository, 'renew' | 'documents' | 'publishedFiles'>;
}

/** The care of the repositories, every few minutes. */
export class RepositoryCare {
  readonly #deps: RepositoryCareDeps;
  readonly #toldMs = new Map<string, number>();
  #cancel: CancelTimer = () => {};
  #turn: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(deps: RepositoryCareDeps) {
    this.#deps = deps;
  }

  /** Begins to look now; a publication that a crash has interrupted is brought to its end. */
  start(): void {
    if (this.#isStopped) return;
    this.#turn = this.look();
    this.#cancel = this.#deps.clock.after(RESIGN_CHECK_MS, () => this.start());
  }

  /** Ends once what is under way is done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#turn;
  }

  /** Looks once. Never rejects: what fails is told, and tried again the next time. */
  async look(): Promise<void> {
    const { log, repository } = this.#deps;
    try {
      await repository.renew();
    } catch (error) {
      const event = { 'event.action': 'update.renew', 'event.outcome': 'failure' };
      log.error({ ...event, 'error.message': String(error) }, 'metadata could not be signed again');
    }
    try {
      await this.#tell();
    } catch (error) {
      const event = { 'event.action': 'update.metadata-ending', 'event.outcome': 'failure' };
      log.error({ ...event, 'error.message': String(error) }, 'not recorded');
    }
  }

  /** When each role ends; the first one to end comes first. */
  ends(): RoleEnd[] {
    const { clock, repository } = this.#deps;
    const people = new Set(
      repository.publishedFiles().map(({ repository, role }) => `${repository}/${role}`),
    );
    const nowMs = clock.nowMs();
    return repository.documents
      .all()
      .filter(({ repository, role }) => isOnline(role) || people.has(`${repository}/${role}`))
      .map(({ repository, role, version, expiresMs }) => {
        const leftMs = expiresMs - nowMs;
        const isEndingSoon = leftMs < (isOnline(role) ? ONLINE_ALARM_MS : PEOPLE_ALARM_MS);
        return { repository, role, version, expiresMs, isEndingSoon };
      })
      .toSorted((a, b) => a.expiresMs - b.expiresMs);
  }

  async #tell(): Promise<void> {
    const { clock, log, recordEvent } = this.#deps;
    for (const { repository, role, version, expiresMs, isEndingSoon } of this.ends()) {
      const key = `${repository}/${role} ${version}`;
      const nowMs = clock.nowMs();
      const sinceMs = nowMs - (this.#toldMs.get(key) ?? Number.NEGATIVE_INFINITY);
      if (!isEndingSoon || Math.abs(sinceMs) < ALARM_REPEAT_MS) continue;
      this.#toldMs.set(key, nowMs);
      const event = { 'event.action': 'update.metadata-ending', 'event.outcome': 'failure' };
      const expiresAt = new Date(expiresMs).toISOString();
      const facts = { repository, role, version, expiresAt };
      log.warn({ ...event, ...facts }, 'update metadata end soon: devices will take no update');
      await recordEvent({ name: 'update.metadata-ending', facts });
    }
  }
}

function isOnline(role: string): boolean {
  return role === 'snapshot' || role === 'timestamp';
}
