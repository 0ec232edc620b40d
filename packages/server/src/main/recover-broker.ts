/** Brings sessions and retained messages back after a stop or a crash. @module */
import type { MessageJournal } from '../journal/index.ts';
import type { MessageRef, RoutedMessage } from '../session/index.ts';

/** Retained messages that are read in one go. */
const RETAINED_PAGE_COUNT = 256;

/** What a recovery fills. */
export interface RecoverBrokerDeps {
  readonly journal: Pick<MessageJournal, 'load' | 'fetch' | 'replay' | 'markRecovered'>;
  readonly router: {
    /** Notes that all entries up to this index were routed. */
    resumeAfter(index: number): void;
    /** Keeps a retained message, and delivers it to nobody. */
    restoreRetained(message: RoutedMessage): void;
    /** Routes a message that was acknowledged and may not have reached everybody. */
    replay(message: RoutedMessage): void;
  };
  readonly sessions: {
    /** Takes up a session as it was saved. */
    restore(id: string, record: Uint8Array): void;
  };
}

/**
 * Takes up what was saved, then what the log has behind it. Before the doors open: a message that
 * came meanwhile would overtake those that are replayed.
 *
 * @throws Fault `E_JOURNAL_STATE` when what was saved cannot be read.
 */
export async function recoverBroker({
  journal,
  router,
  sessions,
}: RecoverBrokerDeps): Promise<void> {
  const refs: MessageRef[] = [];
  const routed = await journal.load({
    session: (id, record) => sessions.restore(id, record),
    retained: (_topic, ref) => refs.push(ref),
  });
  // In the order of the log, so that each part of it is read once.
  refs.sort((a, b) => a.index - b.index);
  for (let at = 0; at < refs.length; at += RETAINED_PAGE_COUNT) {
    const messages = await journal.fetch(refs.slice(at, at + RETAINED_PAGE_COUNT));
    for (const message of messages) {
      if (message !== undefined) router.restoreRetained(message);
    }
  }
  router.resumeAfter(routed - 1);
  await journal.replay(routed, (message) => router.replay(message));
  journal.markRecovered();
}
