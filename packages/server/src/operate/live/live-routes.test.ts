import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  LIVE_DEVICES_PER_SECOND_MAX,
  LIVE_FIGURES_MS,
  LIVE_PRESENCE_MAX,
  LIVE_REFUSALS_PER_SECOND_MAX,
  LiveDeviceSchema,
  LiveFiguresSchema,
  LiveLeftOutSchema,
  LiveOpenSchema,
  LivePresenceSchema,
} from '@holdfast/protocol/api';
import type { RoleName } from '../../registry/index.ts';
import type { ActRecord, RefusalRecord } from '../../telemetry/index.ts';
import { type Lab, StreamReader, openLab, present } from '../lab.testing.ts';
import { STREAM_HEARTBEAT_MS } from '../limits.ts';

/** Operators see the north alone, and viewers nothing at all. */
const NORTH = `
permit (principal in Role::"administrator", action, resource);
permit (principal in Role::"operator", action == Action::"server:read", resource);
permit (principal in Role::"operator", action == Action::"device:read", resource is Device)
when { resource.group == Group::"north" };`;

interface Told {
  readonly event: string;
  readonly data: unknown;
}

/** Reads the events of a stream, and passes signs of life over. */
class EventReader {
  readonly #reader: StreamReader;
  constructor(answer: Response) {
    assert.equal(answer.status, 200);
    this.#reader = new StreamReader(answer);
  }

  async next(): Promise<Told | undefined> {
    for (;;) {
      const text = await this.#reader.next();
      if (text === undefined) return undefined;
      const found = /^event: (\S+)\ndata: (.*)\n\n$/u.exec(text);
      if (found !== null) return { event: found[1] ?? '', data: JSON.parse(found[2] ?? '') };
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function signIn({ people }: Lab, role: RoleName): string {
  const { code } = present(people.membership.invite({ name: role, role }));
  const person = present(people.membership.redeem(code.expose()));
  return people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
}

async function watch(lab: Lab, session?: string): Promise<EventReader> {
  const who = session === undefined ? { token: lab.localToken } : { session };
  const reader = new EventReader(await lab.call('GET', '/v1/live', who));
  assert.equal((await reader.next())?.event, 'open');
  return reader;
}

function openLabWithDevices(t: TestContext): Lab {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'pump-n', class: 'sensor', group: 'north' }));
  present(lab.registry.add({ id: 'pump-s', class: 'sensor', group: 'south' }));
  return lab;
}

function refusal(lab: Lab, index: number): RefusalRecord {
  return { index, atMs: lab.clock.ms, code: 'E_VERIFY_SIG', detail: 'no match', count: 1 };
}

function act(lab: Lab, index: number): ActRecord {
  return { index, atMs: lab.clock.ms, action: 'device.add', principal: 'local', target: 'pump-n' };
}

test('the first event says which others can come', async (t) => {
  const lab = openLab(t);
  const openOf = async (session?: string): Promise<readonly string[]> => {
    const who = session === undefined ? { token: lab.localToken } : { session };
    const reader = new EventReader(await lab.call('GET', '/v1/live', who));
    return LiveOpenSchema.parse((await reader.next())?.data).events;
  };
  const all = ['figures', 'refusal', 'act', 'device', 'presence', 'left-out'];
  assert.deepEqual(await openOf(), all);
  assert.deepEqual(await openOf(signIn(lab, 'viewer')), [
    'figures',
    'device',
    'presence',
    'left-out',
  ]);
  assert.equal((await lab.call('GET', '/v1/live')).status, 401);
});

test('figures come every two seconds, as rates of what was counted in between', async (t) => {
  const lab = openLab(t);
  const reader = await watch(lab);
  Object.assign(lab.traffic, { accepted: 100, refused: { E_VERIFY_SIG: 8 }, connections: 3 });
  lab.clock.advance(LIVE_FIGURES_MS);
  const first = await reader.next();
  assert.equal(first?.event, 'figures');
  const { acceptedPerS, refusedPerS, connections } = LiveFiguresSchema.parse(first.data);
  assert.deepEqual([acceptedPerS, refusedPerS, connections], [50, 4, 3]);
  lab.clock.advance(LIVE_FIGURES_MS);
  assert.equal(LiveFiguresSchema.parse((await reader.next())?.data).acceptedPerS, 0);
});

test('refusals and acts are for those who may read the log', async (t) => {
  const lab = openLabWithDevices(t);
  const [auditor, viewer] = [
    await watch(lab, signIn(lab, 'auditor')),
    await watch(lab, signIn(lab, 'viewer')),
  ];
  lab.refusals.push(refusal(lab, 1));
  lab.acts.push(act(lab, 2));
  assert.equal((await auditor.next())?.event, 'refusal');
  assert.equal((await auditor.next())?.event, 'act');
  lab.clock.advance(LIVE_FIGURES_MS);
  assert.equal((await viewer.next())?.event, 'figures', 'and nothing before');
});

test('of a flood of refusals some are told, and the others are counted', async (t) => {
  const lab = openLab(t);
  const reader = await watch(lab);
  for (let i = 0; i < LIVE_REFUSALS_PER_SECOND_MAX + 7; i += 1) lab.refusals.push(refusal(lab, i));
  lab.clock.advance(1_000);
  for (let i = 0; i < LIVE_REFUSALS_PER_SECOND_MAX; i += 1) {
    assert.equal((await reader.next())?.event, 'refusal');
  }
  const leftOut = await reader.next();
  assert.equal(leftOut?.event, 'left-out');
  const { of, count } = LiveLeftOutSchema.parse(leftOut.data);
  assert.deepEqual([of, count], ['refusal', 7]);
  for (let i = 0; i < LIVE_REFUSALS_PER_SECOND_MAX; i += 1) lab.refusals.push(refusal(lab, i));
  lab.clock.advance(1_000);
  for (let i = 0; i < LIVE_REFUSALS_PER_SECOND_MAX; i += 1) {
    assert.equal((await reader.next())?.event, 'refusal');
  }
  assert.equal((await reader.next())?.event, 'figures', 'nothing was left out');
});

test('a change of state is told with the state before; other changes of a device are not', async (t) => {
  const lab = openLabWithDevices(t);
  const reader = await watch(lab);
  lab.registry.setGroup(['pump-n'], 'north');
  present(lab.registry.changeState('pump-n', { act: 'revoke', by: 'person:ada', reason: 'gone' }));
  const told = await reader.next();
  assert.equal(told?.event, 'device');
  const { id, state, stateBefore, stateReason, stateBy } = LiveDeviceSchema.parse(told.data);
  assert.deepEqual(
    [id, stateBefore, state, stateReason, stateBy],
    ['pump-n', 'registered', 'revoked', 'gone', 'person:ada'],
  );
});

test('of many changes at once some are told, and the others are counted', async (t) => {
  const lab = openLab(t);
  const devices = Array.from({ length: LIVE_DEVICES_PER_SECOND_MAX + 1 }, (_, at) => ({
    id: `dev-${at}`,
    class: 'sensor' as const,
  }));
  const ids = present(lab.registry.addMany(devices, [])).map(({ id }) => id);
  const reader = await watch(lab);
  lab.registry.changeStates(ids, { act: 'revoke', by: 'local', reason: 'all' });
  for (let i = 0; i < LIVE_DEVICES_PER_SECOND_MAX; i += 1) {
    assert.equal((await reader.next())?.event, 'device');
  }
  lab.clock.advance(1_000);
  const leftOut = LiveLeftOutSchema.parse((await reader.next())?.data);
  assert.deepEqual([leftOut.of, leftOut.count], ['device', 1]);
});

test('nobody hears of a device that they may not see', async (t) => {
  const lab = openLabWithDevices(t);
  lab.deps.policies.authorizer.activate(NORTH);
  const reader = await watch(lab, signIn(lab, 'operator'));
  for (const id of ['pump-s', 'pump-n']) {
    present(lab.registry.changeState(id, { act: 'revoke', by: 'local', reason: 'gone' }));
    lab.presence.note(id);
  }
  assert.equal(LiveDeviceSchema.parse((await reader.next())?.data).id, 'pump-n');
  lab.clock.advance(1_000);
  const { changes, leftOut } = LivePresenceSchema.parse((await reader.next())?.data);
  assert.deepEqual(changes, [{ id: 'pump-n', isConnected: false }]);
  assert.equal(leftOut, 0);
});

test('who connects and leaves is told together, once a second, and not without end', async (t) => {
  const lab = openLab(t);
  const devices = Array.from({ length: LIVE_PRESENCE_MAX + 5 }, (_, at) => ({
    id: `dev-${at}`,
    class: 'sensor' as const,
  }));
  present(lab.registry.addMany(devices, []));
  const reader = await watch(lab);
  const [first] = devices;
  lab.presence.note(first?.id ?? '');
  lab.presence.note('person:ada');
  lab.clock.advance(1_000);
  const one = LivePresenceSchema.parse((await reader.next())?.data);
  assert.deepEqual(one.changes, [{ id: 'dev-0', isConnected: false }]);
  for (const { id } of devices) lab.presence.note(id);
  lab.clock.advance(1_000);
  assert.equal((await reader.next())?.event, 'figures');
  const many = LivePresenceSchema.parse((await reader.next())?.data);
  assert.deepEqual([many.changes.length, many.leftOut], [LIVE_PRESENCE_MAX, 5]);
});

test('while nobody watches, the hub listens to nothing', async (t) => {
  const lab = openLab(t);
  const timers = lab.clock.timerCount;
  const [a, b] = [await watch(lab), await watch(lab)];
  assert.equal(lab.refusals.listeners.size, 1);
  lab.refusals.push(refusal(lab, 1));
  lab.presence.note('dev-1');
  await a.cancel();
  assert.equal(lab.refusals.listeners.size, 1);
  await b.cancel();
  assert.equal(lab.refusals.listeners.size + lab.acts.listeners.size, 0);
  assert.equal(lab.clock.timerCount, timers);
  const again = await watch(lab);
  lab.acts.push(act(lab, 3));
  assert.equal((await again.next())?.event, 'act');
});

test('a right that ends is obeyed with the next event, and the last one ends the stream', async (t) => {
  const lab = openLabWithDevices(t);
  const session = signIn(lab, 'auditor');
  const reader = await watch(lab, session);
  lab.deps.policies.authorizer.activate(NORTH.replaceAll('"operator"', '"auditor"'));
  lab.refusals.push(refusal(lab, 1));
  lab.clock.advance(LIVE_FIGURES_MS);
  assert.equal((await reader.next())?.event, 'figures');
  lab.deps.policies.authorizer.activate(
    'permit (principal in Role::"administrator", action, resource);',
  );
  lab.clock.advance(STREAM_HEARTBEAT_MS);
  assert.equal(await reader.next(), undefined);
  assert.equal(lab.refusals.listeners.size, 0);
});

test('a session that ends ends its stream', async (t) => {
  const lab = openLab(t);
  const session = signIn(lab, 'administrator');
  const reader = await watch(lab, session);
  assert.equal((await lab.call('POST', '/v1/sign-out', { session })).status, 204);
  lab.clock.advance(LIVE_FIGURES_MS);
  assert.equal(await reader.next(), undefined);
});

test('who is too slow is cut off, with all that waits', async (t) => {
  const lab = openLab(t);
  let isDestroyed = false;
  const onSocketDestroyed = (): void => {
    isDestroyed = true;
  };
  await lab.call('GET', '/v1/live', { token: lab.localToken, onSocketDestroyed });
  const facts = { note: 'x'.repeat(100_000) };
  for (let i = 0; i < 12; i += 1) lab.acts.push({ ...act(lab, i), facts });
  assert.ok(isDestroyed);
  assert.equal(lab.acts.listeners.size, 0);
});
