import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Journal, JournaledMessage, MessageJournal } from '../journal/index.ts';
import { JournalLab, message, savedState, settled } from '../journal/lab.testing.ts';
import { Fault } from '../kernel/index.ts';
import type { RoutedMessage } from '../session/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import { recoverBroker } from './recover-broker.ts';

const TICK_MS = 1_000;

/** Stands for router and sessions: notes what it is given, in its order. */
class Recovered {
  readonly notes: string[] = [];
  readonly messages: RoutedMessage[] = [];
  readonly router = {
    resumeAfter: (index: number): void => void this.notes.push(`after ${index}`),
    restoreRetained: (one: RoutedMessage): void => this.#note('retained', one),
    replay: (one: RoutedMessage): void => this.#note('replay', one),
  };
  readonly sessions = {
    restore: (id: string, record: Uint8Array): void =>
      void this.notes.push(`session ${id} ${Buffer.from(record).toString()}`),
  };

  #note(what: string, one: RoutedMessage): void {
    assert.ok(JournaledMessage.is(one));
    this.messages.push(one);
    this.notes.push(`${what} ${one.topic} ${Buffer.from(one.payload).toString()}`);
  }
}

class BrokerLab {
  readonly clock = new TestClock();
  readonly lab: JournalLab;

  constructor(t: TestContext) {
    this.lab = new JournalLab(t);
  }

  async open(): Promise<{ journal: Journal; messages: MessageJournal; found: Recovered }> {
    const journal = await this.lab.open(this.clock);
    const messages = new MessageJournal(journal, { keyring: this.lab.keyring });
    const found = new Recovered();
    const { router, sessions } = found;
    await recoverBroker({ journal: messages, router, sessions });
    return { journal, messages, found };
  }

  store(journal: Journal, topic: string, body: string, keyRef = 1): Promise<number> {
    const key = this.lab.keyring.create(keyRef);
    return journal.record(message(body, { topic }), key);
  }

  async tick(journal: Journal): Promise<void> {
    this.clock.advance(TICK_MS);
    await settled(journal);
  }
}

test('a new folder has nothing to recover', async (t) => {
  const { found } = await new BrokerLab(t).open();
  assert.deepEqual(found.notes, ['after -1']);
});

test('sessions, retained messages and the rest of the log come back', async (t) => {
  const broker = new BrokerLab(t);
  const { journal, messages } = await broker.open();
  await broker.store(journal, 'd/a/state', 'former');
  const index = await broker.store(journal, 'd/a/state', 'latest', 2);
  messages.saveRetained('d/a/state', { index: 0, keyRef: 1 });
  messages.saveRetained('d/a/state', { index, keyRef: 2 });
  messages.saveRetained('d/b/state', { index: 0, keyRef: 1 });
  messages.saveRetained('d/b/state', undefined);
  messages.save('a', () => Buffer.from('now'));
  messages.saveSoon('b/c', () => Buffer.from('soon'));
  messages.save('gone', () => undefined);
  await broker.tick(journal);
  const act = { ...message('{}'), kind: 'act', topic: 'act' } as const;
  await journal.record(act, broker.lab.keyring.create(1));
  await broker.store(journal, 'd/a/telemetry', 'unrouted');
  await broker.store(journal, 'd/a/telemetry', 'unrouted too', 2);
  // As after a crash: nothing was saved since.
  const { found, again } = await crash(broker, journal);
  assert.deepEqual(found.notes.slice(0, 2).sort(), ['session a now', 'session b/c soon']);
  assert.deepEqual(found.notes.slice(2), [
    'retained d/a/state latest',
    'after 1',
    'replay d/a/telemetry unrouted',
    'replay d/a/telemetry unrouted too',
  ]);
  assert.deepEqual(
    found.messages.map(({ index: at, keyRef }) => [at, keyRef]),
    [
      [1, 2],
      [3, 1],
      [4, 2],
    ],
  );
  assert.equal(again.size, 5);
});

test('after a clean stop nothing is replayed', async (t) => {
  const broker = new BrokerLab(t);
  const { journal } = await broker.open();
  await broker.store(journal, 'd/a/telemetry', '1');
  await broker.lab.close(journal);
  const { found } = await broker.open();
  assert.deepEqual(found.notes, ['after 0']);
});

test('without the file of the state, the log alone gives what it has', async (t) => {
  const broker = new BrokerLab(t);
  const { journal } = await broker.open();
  await broker.store(journal, 'd/a/state', '1');
  await broker.lab.close(journal);
  broker.lab.removeState();
  const { found } = await broker.open();
  assert.deepEqual(found.notes, ['after -1', 'replay d/a/state 1']);
});

test('an erased retained message does not come back', async (t) => {
  const broker = new BrokerLab(t);
  const { journal, messages } = await broker.open();
  const places = [
    { index: await broker.store(journal, 'd/a/state', 'a', 1), keyRef: 1 },
    { index: await broker.store(journal, 'd/b/state', 'b', 2), keyRef: 2 },
  ];
  messages.saveRetained('d/a/state', places[0]);
  messages.saveRetained('d/b/state', places[1]);
  await broker.lab.close(journal);
  broker.lab.keyring.destroy(1);
  const { found } = await broker.open();
  assert.deepEqual(found.notes, ['retained d/b/state b', 'after 1']);
});

test('many retained messages come back, each once', async (t) => {
  const broker = new BrokerLab(t);
  const { journal, messages } = await broker.open();
  const topics = Array.from({ length: 600 }, (_, n) => `d/${n}/state`);
  await Promise.all(
    topics.map(async (topic) => {
      const index = await broker.store(journal, topic, 'x', 1);
      messages.saveRetained(topic, { index, keyRef: 1 });
    }),
  );
  await broker.lab.close(journal);
  const { found } = await broker.open();
  assert.deepEqual(found.messages.map(({ topic }) => topic).sort(), topics.toSorted());
});

test('while a recovery runs, nothing says that the log was taken up', async (t) => {
  const broker = new BrokerLab(t);
  const { journal } = await broker.open();
  await broker.store(journal, 'd/a/state', '1');
  await broker.lab.close(journal);
  broker.lab.removeState();

  const again = await broker.lab.open(broker.clock);
  const messages = new MessageJournal(again, { keyring: broker.lab.keyring });
  const found = new Recovered();
  let isTicked = false;
  await recoverBroker({
    journal: messages,
    sessions: found.sessions,
    router: {
      ...found.router,
      replay() {
        messages.saveSoon('a', () => Buffer.from('half'));
        broker.clock.advance(TICK_MS);
        isTicked = true;
      },
    },
  });
  assert.ok(isTicked);
  await settled(again);
  assert.deepEqual(await savedState(again), { 'session/a': 'half' });
  await broker.tick(again);
  assert.deepEqual(await savedState(again), { 'session/a': 'half', routed: '1' });
});

test('a record that is damaged keeps the broker from starting [E_JOURNAL_STATE]', async (t) => {
  const broker = new BrokerLab(t);
  const { journal, messages } = await broker.open();
  messages.save('a', () => Buffer.from('1'));
  await settled(journal);
  await broker.lab.close(journal);
  broker.lab.damageState();
  await assert.rejects(
    broker.open(),
    (error) => error instanceof Fault && error.code === 'E_JOURNAL_STATE',
  );
});

/** Goes on with the files as they are now, while the journal that wrote them is still there. */
async function crash(
  broker: BrokerLab,
  journal: Journal,
): Promise<{ found: Recovered; again: Journal }> {
  const back = broker.lab.snapshot();
  await broker.lab.close(journal);
  back();
  const { found, journal: again } = await broker.open();
  return { found, again };
}
