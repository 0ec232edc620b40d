/** Subscriptions that may not be any more: whose, when they are looked at, and what becomes of them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { refuse } from '@holdfast/protocol';
import { encodeDisconnect, encodeSubscribe } from '@holdfast/protocol/mqtt';
import { type BrokerLab, type LabClient, openBrokerLab } from './broker-lab.testing.ts';
import { CHECKED_SESSIONS_PER_TURN, FOREIGN_CHECK_DELAY_MS } from './limits.ts';

const NOT_AUTHORIZED = 0x87;

interface CheckLab extends BrokerLab {
  /** What nobody may hear from now on. */
  readonly forbidden: Set<string>;
  readonly changePolicy: () => Promise<void>;
  readonly subscribe: (device: string, filter: string, expiryS?: number) => Promise<LabClient>;
}

function openCheckLab(t: TestContext): CheckLab {
  const forbidden = new Set<string>();
  const listeners = new Set<() => void>();
  const lab = openBrokerLab(t, {
    openHandler: () =>
      Promise.resolve({
        publish: (_publish, done) => done(true),
        verifyWill: () => refuse('E_AUTHORIZE_PUBLISH', 'no will'),
        permitSubscription: (filter) =>
          forbidden.has(filter) ? refuse('E_AUTHORIZE_SUBSCRIBE', 'forbidden') : true,
      }),
    maySubscribe: (_device, filter) => !forbidden.has(filter),
    onPolicyChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const subscribe: CheckLab['subscribe'] = async (device, filter, expiryS = 0) => {
    const client = lab.connect(device, { properties: { sessionExpiryS: expiryS } });
    const options = {
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    const subscriptions = [{ filter, ...options }];
    client.write(encodeSubscribe({ packetId: 1, subscriptions, properties: {} }, 5));
    const packets = await client.received();
    assert.equal(packets.at(-1)?.type, 'suback');
    return client;
  };
  const changePolicy = async (): Promise<void> => {
    for (const listener of listeners) listener();
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  };
  return Object.assign(lab, { forbidden, changePolicy, subscribe });
}

async function endOf(client: LabClient): Promise<number | undefined> {
  const last = (await client.received()).at(-1);
  return last?.type === 'disconnect' ? last.reasonCode : undefined;
}

test('another policy disconnects who lost a subscription, and nobody else', async (t) => {
  const lab = openCheckLab(t);
  const loser = await lab.subscribe('pump-1', 'd/#');
  const keeper = await lab.subscribe('pump-2', 'd/pump-2/cmd/#');
  lab.forbidden.add('d/#');
  await lab.changePolicy();
  assert.equal(await endOf(loser), NOT_AUTHORIZED);
  assert.equal(await endOf(keeper), undefined);
  assert.deepEqual(lab.refusals, ['E_AUTHORIZE_SUBSCRIBE']);
  assert.equal(lab.table.sessionCount, 1);
});

test('what follows $share/<name>/ is what counts', async (t) => {
  const lab = openCheckLab(t);
  const loser = await lab.subscribe('pump-1', '$share/x/d/#');
  lab.forbidden.add('d/#');
  await lab.changePolicy();
  assert.equal(await endOf(loser), NOT_AUTHORIZED);
});

test('a session that is away ends, and takes nothing in any more', async (t) => {
  const lab = openCheckLab(t);
  const client = await lab.subscribe('pump-1', 'd/#', 100);
  client.write(encodeDisconnect());
  await client.received();
  assert.equal(lab.table.sessionCount, 1);
  lab.forbidden.add('d/#');
  await lab.changePolicy();
  assert.equal(lab.table.sessionCount, 0);
  assert.equal(lab.memory.records.size, 0);
});

test('a session from before a restart is looked at when it is taken up', async (t) => {
  const lab = openCheckLab(t);
  const client = await lab.subscribe('pump-1', 'd/#', 100);
  client.write(encodeDisconnect());
  await client.received();
  lab.forbidden.add('d/#');
  assert.equal(lab.restart().table.sessionCount, 0);
});

test('a change of a device is obeyed by itself at once, and by others a moment later', async (t) => {
  const lab = openCheckLab(t);
  const own = await lab.subscribe('pump-1', 'd/pump-1/cmd/#');
  const other = await lab.subscribe('pump-2', 'd/pump-1/state');
  const third = await lab.subscribe('pump-3', 'd/pump-3/cmd/#');
  lab.forbidden.add('d/pump-1/cmd/#').add('d/pump-1/state').add('d/pump-3/cmd/#');
  lab.registry.changeState('pump-1', { act: 'activate', by: 'pump-1', reason: 'a test' });
  assert.equal(await endOf(own), NOT_AUTHORIZED);
  lab.clock.advance(FOREIGN_CHECK_DELAY_MS - 1);
  await nextTurn();
  assert.equal(await endOf(other), undefined);
  lab.clock.advance(1);
  await nextTurn();
  assert.equal(await endOf(other), NOT_AUTHORIZED);
  assert.equal(await endOf(third), undefined, 'who hears but itself is not looked at');
});

test('many sessions are looked at in slices, all of them', async (t) => {
  const lab = openCheckLab(t);
  const count = 2 * CHECKED_SESSIONS_PER_TURN + 1;
  for (let n = 0; n < count; n += 1) await lab.subscribe(`pump-${n}`, 'd/#');
  lab.forbidden.add('d/#');
  await lab.changePolicy();
  assert.equal(lab.table.sessionCount, 0);
});
