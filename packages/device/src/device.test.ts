/** A device against a scripted broker on loopback; time and chance belong to the test. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import { type Publish, encodePublish } from '@holdfast/protocol/mqtt';
import {
  type BrokerScript,
  type ScriptedBroker,
  signed,
  startBroker,
} from '../test-support/scripted-broker.ts';
import { foreignKey, testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { testPki } from '../test-support/test-pki.ts';
import { VirtualClock } from '../test-support/virtual-clock.ts';
import type { Bundle } from './bundle.ts';
import type { RefusedCommand } from './command-queue.ts';
import type { Command } from './command.ts';
import type { BufferOptions, DeviceStatus } from './device-options.ts';
import { type Device, connect } from './device.ts';
import { QUEUE_MESSAGES_MAX } from './limits.ts';

const PKI = testPki();

interface Lab {
  readonly broker: ScriptedBroker;
  readonly bundle: Bundle;
  readonly clock: VirtualClock;
  readonly device: Device;
  readonly statuses: DeviceStatus[];
  /** Resolves when the device is in this state, now or later. */
  readonly reach: (state: DeviceStatus['state']) => Promise<DeviceStatus>;
  /** Lets the broker drop the newest connection and waits until the device knows. */
  readonly drop: () => Promise<void>;
  /** Lets the back-off pass, and no more. */
  readonly retry: () => void;
  /** The same, and waits until the device is online. */
  readonly reconnect: () => Promise<void>;
}

interface LabOptions extends BrokerScript {
  readonly keepAliveS?: number;
  readonly random?: () => number;
  readonly notAfterMs?: number;
  readonly buffer?: BufferOptions | false;
}

async function lab(t: TestContext, options: LabOptions = {}): Promise<Lab> {
  const { keepAliveS = 60, random = () => 0.5, notAfterMs, buffer = false, ...script } = options;
  const broker = await startBroker(t, PKI, script);
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), {
    pki: PKI,
    port: broker.port,
    ...(notAfterMs !== undefined && { notAfterMs }),
  });
  const clock = new VirtualClock();
  const device = connect({ bundle, clock, random, keepAliveS, buffer });
  t.after(() => device.close());
  const statuses: DeviceStatus[] = [];
  device.onStatus((status) => statuses.push(status));
  const reach = (state: DeviceStatus['state']): Promise<DeviceStatus> =>
    new Promise((resolve) => {
      if (device.status.state === state) resolve(device.status);
      device.onStatus((status) => {
        if (status.state === state) resolve(status);
      });
    });
  const drop = async (): Promise<void> => {
    broker.connections.at(-1)?.socket.destroy();
    await reach('offline');
  };
  const retry = (): void => {
    const { status } = device;
    clock.advance(status.state === 'offline' ? status.retryInMs : 0);
  };
  const reconnect = async (): Promise<void> => {
    retry();
    await reach('online');
  };
  return { broker, bundle, clock, device, statuses, reach, drop, retry, reconnect };
}

/** What a PUBLISH says, after its signature was verified. */
function read(bundle: Bundle, { payload }: Publish): Record<string, unknown> {
  const parsed = parseSignedJson(payload);
  assert.ok(!(parsed instanceof Refusal));
  const tag = createHmac('sha256', bundle.payloadKey).update(parsed.signedBytes).digest();
  assert.deepEqual(Buffer.from(parsed.signature), tag);
  return JSON.parse(Buffer.from(payload).toString('utf8')) as Record<string, unknown>;
}

const nth = (publishes: readonly Publish[], bundle: Bundle) =>
  publishes.map((publish) => read(bundle, publish)['n']);

test('a device says who it is, and its readings arrive signed, counted and timed', async (t) => {
  const { broker, bundle, clock, device } = await lab(t);
  const published = device.publish({ temp: 23.5 });
  const connectPacket = await broker.packet('connect');
  assert.equal(connectPacket.clientId, 'thermostat-1');
  assert.equal(connectPacket.cleanStart, true);
  assert.equal(connectPacket.keepAliveS, 60);
  assert.equal(connectPacket.userName, undefined);
  await published;
  await device.publish({ isOn: true }, { topic: 'state' });
  const [reading, state] = broker.publishes();
  assert.ok(reading !== undefined && state !== undefined);
  assert.deepEqual(
    [reading.topic, reading.qos, reading.retain, reading.dup],
    ['d/thermostat-1/telemetry', 1, false, false],
  );
  const { sig, ...members } = read(bundle, reading);
  assert.equal(typeof sig, 'string');
  assert.deepEqual(members, { temp: 23.5, ctr: clock.nowMs(), ts: clock.nowMs() });
  assert.deepEqual([state.topic, state.retain], ['d/thermostat-1/state', true]);
  assert.equal(read(bundle, state)['ctr'], clock.nowMs() + 1);
});

test('publish resolves at PUBACK and not before', async (t) => {
  const { broker, device } = await lab(t, { acknowledges: false });
  let isResolved = false;
  const publishAndNote = async (): Promise<void> => {
    await device.publish({ n: 1 });
    isResolved = true;
  };
  const published = publishAndNote();
  const publish = await broker.packet('publish');
  // A round trip after it: a PUBACK would have arrived by now.
  device.onCommand(() => {});
  await broker.packet('subscribe');
  await device.publish({ n: 2 }, { qos: 0 });
  assert.equal(isResolved, false);
  broker.connections[0]?.acknowledge(publish);
  await published;
});

test('readings published before there is a connection wait for it, in order', async (t) => {
  const { broker, bundle, device } = await lab(t);
  const numbers = Array.from({ length: 200 }, (_, n) => n);
  await Promise.all(numbers.map((n) => device.publish({ n })));
  assert.deepEqual(nth(broker.publishes(), bundle), numbers);
});

test('a full queue rejects, and says so [E_DEVICE_QUEUE_FULL]', async (t) => {
  const { device } = await lab(t, { answersConnect: false });
  const waiting = Array.from({ length: QUEUE_MESSAGES_MAX }, (_, n) => device.publish({ n }));
  const closed = Promise.allSettled(waiting);
  await assert.rejects(device.publish({}), { code: 'E_DEVICE_QUEUE_FULL' });
  await device.close();
  const outcomes = await closed;
  const codes = new Set(outcomes.map((o) => o.status === 'rejected' && o.reason.code));
  assert.deepEqual([...codes], ['E_DEVICE_CLOSED']);
  await assert.rejects(device.publish({}), { code: 'E_DEVICE_CLOSED' });
});

test('a reading or topic that cannot be sent is a rejection [E_DEVICE_READING]', async (t) => {
  const { device } = await lab(t);
  await assert.rejects(device.publish({ ctr: 1 }), { code: 'E_DEVICE_READING' });
  await assert.rejects(device.publish([1]), { code: 'E_DEVICE_READING' });
  await assert.rejects(device.publish({}, { topic: 'cmd/x' }), { code: 'E_DEVICE_READING' });
});

test('after a reconnect the unacknowledged come again: DUP, same bytes, in order, then the rest', async (t) => {
  const { broker, bundle, device, drop, reconnect, reach } = await lab(t, { acknowledges: false });
  await reach('online');
  const published = [1, 2, 3].map((n) => device.publish({ n }));
  await broker.packet('publish', (publish) => read(bundle, publish)['n'] === 3);
  const first = broker.connections[0];
  broker.connections[0]?.acknowledge(broker.publishes()[0] as Publish);
  await published[0];
  await drop();
  published.push(device.publish({ n: 4 }));
  broker.script.acknowledges = true;
  await reconnect();
  await Promise.all(published);
  const before = broker.publishes(first);
  const after = broker.publishes(broker.connections[1]);
  assert.deepEqual(nth(after, bundle), [2, 3, 4]);
  assert.deepEqual(
    after.map(({ dup }) => dup),
    [true, true, false],
  );
  const text = ({ payload }: Publish) => Buffer.from(payload).toString('utf8');
  assert.deepEqual(after.slice(0, 2).map(text), before.slice(1).map(text));
});

test('reconnects back off with jitter, and start again after a stable minute', async (t) => {
  const { clock, device, statuses, drop, reach } = await lab(t);
  await reach('online');
  const delays: number[] = [];
  const note = (): void => {
    const last = statuses.findLast((status) => status.state === 'offline');
    delays.push(last?.state === 'offline' ? last.retryInMs : -1);
  };
  for (let i = 0; i < 3; i += 1) {
    await drop();
    note();
    clock.advance(delays.at(-1) ?? 0);
    await reach('online');
  }
  await stayOnline(device, clock, 59_999);
  await drop();
  note();
  clock.advance(delays.at(-1) ?? 0);
  await reach('online');
  await stayOnline(device, clock, 60_000);
  await drop();
  note();
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 500]);
});

/** Moves time on in steps in which pings are answered. */
async function stayOnline(device: Device, clock: VirtualClock, ms: number): Promise<void> {
  clock.advance(45_000);
  // Its PUBACK follows the answer to the ping.
  await device.publish({});
  clock.advance(ms - 45_000);
}

test('before its time the next attempt is not made', async (t) => {
  const { broker, clock, device, drop, reach } = await lab(t);
  await reach('online');
  await drop();
  clock.advance(499);
  assert.equal(device.status.state, 'offline');
  clock.advance(1);
  assert.equal(device.status.state, 'connecting');
  await reach('online');
  assert.equal(broker.connections.length, 2);
});

test('a silent link gets a ping within the keep-alive, and is dead when it stays silent', async (t) => {
  const { broker, clock, device, reach } = await lab(t, { answersPings: false });
  await reach('online');
  clock.advance(44_999);
  assert.equal(
    broker.connections[0]?.packets.some(({ type }) => type === 'pingreq'),
    false,
  );
  clock.advance(1);
  await broker.packet('pingreq');
  clock.advance(9_999);
  assert.equal(device.status.state, 'online');
  clock.advance(1);
  const status = await reach('offline');
  assert.ok(status.state === 'offline');
  assert.equal(status.error.code, 'E_DEVICE_UNREACHABLE');
});

test('an answered ping keeps the link, also with the shortest keep-alive', async (t) => {
  const { broker, clock, device, reach } = await lab(t, { keepAliveS: 5 });
  await reach('online');
  const connection = broker.connections[0];
  for (let round = 1; round <= 5; round += 1) {
    clock.advance(3_750);
    const pings = (): number =>
      connection?.packets.filter(({ type }) => type === 'pingreq').length ?? 0;
    await broker.packet('pingreq', () => pings() === round);
    // The answer has arrived once a later PUBACK has.
    await device.publish({ round });
  }
  assert.equal(device.status.state, 'online');
  broker.script.answersPings = false;
  clock.advance(3_750 + 9_999);
  assert.equal(device.status.state, 'online');
  clock.advance(1);
  assert.equal(device.status.state, 'offline', 'later pings do not put off the deadline');
});

test('one answer settles all pings before it', async (t) => {
  const { clock, device, reach, broker } = await lab(t, { keepAliveS: 5, answersPings: false });
  await reach('online');
  clock.advance(2 * 3_750);
  // Any answer will do; the PUBACK comes after both pings.
  await device.publish({ n: 1 });
  broker.script.answersPings = true;
  clock.advance(10_000 - 3_750);
  assert.equal(device.status.state, 'online');
});

test('a server that does not answer CONNECT, or refuses it, is tried again later', async (t) => {
  const { broker, clock, reach, retry } = await lab(t, { answersConnect: false });
  await broker.packet('connect');
  clock.advance(20_000);
  const silent = await reach('offline');
  assert.equal(silent.state === 'offline' && silent.error.code, 'E_DEVICE_UNREACHABLE');
  Object.assign(broker.script, { answersConnect: true, connackCode: 5 });
  retry();
  const refused = await reach('offline');
  assert.equal(refused.state === 'offline' && refused.error.code, 'E_DEVICE_REFUSED');
  broker.script.connackCode = 0;
  retry();
  await reach('online');
});

test('a device whose certificate has ended says so, whatever the server says', async (t) => {
  const { reach } = await lab(t, { notAfterMs: Date.now() - 1_000 });
  const status = await reach('offline');
  assert.ok(status.state === 'offline');
  assert.equal(status.error.code, 'E_DEVICE_CLOCK');
  assert.match(status.error.message, /expired/u);
});

test('what is no MQTT ends the connection', async (t) => {
  const { broker, reach } = await lab(t);
  await reach('online');
  broker.connections[0]?.send(Buffer.of(0xf0, 0));
  const status = await reach('offline');
  assert.equal(status.state === 'offline' && status.error.code, 'E_DEVICE_CONNECTION');
});

/** A lab whose device has a handler that notes what it gets. */
async function commandLab(t: TestContext, options: LabOptions = {}) {
  const base = await lab(t, options);
  const commands: Command[] = [];
  const refused: RefusedCommand[] = [];
  base.device.onRefused((one) => refused.push(one));
  base.device.onCommand((command) => void commands.push(command));
  await base.broker.packet('subscribe');
  let packetId = 0;
  const send = (payload: string, name = 'setpoint'): number => {
    packetId += 1;
    base.broker.connections.at(-1)?.command({ name, payload, packetId });
    return packetId;
  };
  const acknowledged = (id: number) => {
    return base.broker.packet('puback', (puback) => puback.packetId === id);
  };
  const payload = (members: Record<string, unknown>): string =>
    signed(base.bundle.commandKey, { cmd: 'setpoint', ts: base.clock.nowMs(), ...members });
  return { ...base, commands, refused, send, acknowledged, payload };
}

test('a genuine command reaches the handler and is acknowledged', async (t) => {
  const { broker, clock, commands, send, acknowledged, payload, refused } = await commandLab(t);
  const subscribe = await broker.packet('subscribe');
  assert.partialDeepStrictEqual(subscribe.subscriptions, [
    { filter: 'd/thermostat-1/cmd/#', qos: 1 },
  ]);
  assert.equal(subscribe.subscriptions.length, 1);
  await acknowledged(send(payload({ celsius: 21, ctr: 1 })));
  const ts = clock.nowMs();
  assert.deepEqual(commands, [{ name: 'setpoint', body: { celsius: 21 }, ctr: 1, ts }]);
  assert.deepEqual(refused, []);
});

test('forged, replayed and stale commands are reported, acknowledged, and never handled', async (t) => {
  const { bundle, clock, commands, send, acknowledged, payload, refused } = await commandLab(t);
  const genuine = payload({ celsius: 21, ctr: 5 });
  const staleTs = clock.nowMs() - 300_001;
  const bad = [
    signed(foreignKey(), { ctr: 6, ts: clock.nowMs() }),
    signed(bundle.payloadKey, { ctr: 6, ts: clock.nowMs() }),
    genuine.replace('21', '99'),
    genuine,
    payload({ ctr: 6, ts: staleTs }),
    'open the door',
  ];
  await acknowledged(send(genuine));
  for (const text of bad) await acknowledged(send(text));
  assert.deepEqual(
    refused.map(({ code }) => code),
    [
      'E_VERIFY_SIG',
      'E_VERIFY_SIG',
      'E_VERIFY_SIG',
      'E_VERIFY_REPLAY',
      'E_VERIFY_STALE',
      'E_VERIFY_JSON',
    ],
  );
  assert.equal(refused[0]?.topic, 'd/thermostat-1/cmd/setpoint');
  assert.equal(commands.length, 1);
});

test('a command that ran is refused after a restart of the device too', async (t) => {
  const { broker, bundle, clock, device, send, acknowledged, payload } = await commandLab(t);
  const genuine = payload({ ctr: 5 });
  await acknowledged(send(genuine));
  await device.close();
  const again = connect({ bundle: bundle.folder, clock });
  t.after(() => again.close());
  const refused: string[] = [];
  again.onRefused(({ code }) => refused.push(code));
  again.onCommand(() => assert.fail('it ran again'));
  await broker.packet('subscribe', () => broker.connections.length === 2);
  broker.connections[1]?.command({ name: 'setpoint', payload: genuine, packetId: 77 });
  await broker.packet('puback', ({ packetId }) => packetId === 77);
  assert.deepEqual(refused, ['E_VERIFY_REPLAY']);
});

test('commands are handled one at a time, in order, and acknowledged when the handler is done', async (t) => {
  const { broker, device, send, acknowledged, payload } = await commandLab(t);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  device.onCommand(async ({ ctr }) => {
    started.push(ctr);
    await new Promise<void>((resolve) => {
      finish.push(resolve);
    });
  });
  const ids = [1, 2].map((ctr) => send(payload({ ctr })));
  // The device has both commands once it answers what came after them.
  await device.publish({ n: 1 });
  assert.deepEqual(started, [1]);
  assert.ok(!broker.connections[0]?.packets.some(({ type }) => type === 'puback'));
  finish[0]?.();
  await acknowledged(ids[0] ?? 0);
  await device.publish({ n: 2 });
  assert.deepEqual(started, [1, 2]);
  finish[1]?.();
  await acknowledged(ids[1] ?? 0);
});

test('a handler that throws is reported, and the next command handled', async (t) => {
  const { device, refused, send, acknowledged, payload } = await commandLab(t);
  const fault = new Error('valve stuck');
  device.onCommand(({ ctr }) => {
    if (ctr === 1) throw fault;
  });
  await acknowledged(send(payload({ ctr: 1 })));
  await acknowledged(send(payload({ ctr: 2 })));
  assert.deepEqual(
    refused.map(({ code, cause }) => [code, cause]),
    [['E_DEVICE_HANDLER', fault]],
  );
});

test('after a reconnect the device subscribes again; a late PUBACK is not sent on the new link', async (t) => {
  const { broker, device, drop, reconnect, send, payload } = await commandLab(t);
  let finish = (): void => {};
  device.onCommand(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  send(payload({ ctr: 1 }));
  await device.publish({ n: 1 });
  await drop();
  await reconnect();
  await broker.packet('subscribe', () => broker.connections.length === 2);
  finish();
  await device.publish({ n: 2 });
  assert.ok(!broker.connections[1]?.packets.some(({ type }) => type === 'puback'));
});

test('commands beyond what can wait are refused, and not acknowledged [E_SESSION_LIMIT]', async (t) => {
  const { device, refused, send, payload } = await commandLab(t);
  device.onCommand(() => new Promise<void>(() => {}));
  // One is being handled and COMMANDS_WAITING_MAX wait.
  send(payload({ ctr: 1 }));
  await device.publish({ n: 0 });
  for (let ctr = 2; ctr <= 65; ctr += 1) send(payload({ ctr }));
  await device.publish({ n: 1 });
  assert.deepEqual(refused, []);
  send(payload({ ctr: 66 }));
  await device.publish({ n: 2 });
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['E_SESSION_LIMIT'],
  );
});

test('after close the running handler finishes, and waiting commands are not begun', async (t) => {
  const { device, send, payload } = await commandLab(t);
  const begun: number[] = [];
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  device.onCommand(({ ctr }) => {
    begun.push(ctr);
    return finished;
  });
  send(payload({ ctr: 1 }));
  send(payload({ ctr: 2 }));
  await device.publish({ n: 1 });
  const closed = device.close();
  finish();
  await closed;
  assert.deepEqual(begun, [1]);
});

test('a refused subscription is reported', async (t) => {
  const { device, refused } = await commandLab(t, { subackCode: 0x80 });
  await device.publish({ n: 1 });
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['E_AUTHORIZE_SUBSCRIBE'],
  );
});

test('a command with QoS 0 is handled without a PUBACK; one with QoS 2 ends the connection', async (t) => {
  const { broker, commands, device, payload, reach } = await commandLab(t);
  const topic = 'd/thermostat-1/cmd/setpoint';
  const bytes = (ctr: number) => Buffer.from(payload({ ctr }), 'utf8');
  broker.connections[0]?.send(encodePublish(topic, bytes(1), { qos: 0 }));
  await device.publish({ n: 1 });
  assert.equal(commands.length, 1);
  assert.ok(!broker.connections[0]?.packets.some(({ type }) => type === 'puback'));
  broker.connections[0]?.send(encodePublish(topic, bytes(2), { qos: 2, packetId: 9 }));
  await reach('offline');
  assert.equal(commands.length, 1);
});

test('closing says goodbye, leaves no timer, and is final', async (t) => {
  const { broker, clock, device, statuses, reach } = await lab(t);
  await reach('online');
  await device.close();
  await broker.packet('disconnect');
  assert.equal(clock.timerCount, 0);
  await device.close();
  assert.equal(device.status.state, 'closed');
  assert.deepEqual(
    statuses.map(({ state }) => state),
    ['online', 'closed'],
  );
});

test('closing while offline cancels the next attempt', async (t) => {
  const { broker, clock, device, drop, reach } = await lab(t);
  await reach('online');
  await drop();
  await device.close();
  assert.equal(clock.timerCount, 0);
  clock.advance(120_000);
  assert.equal(broker.connections.length, 1);
});

test('counters go on after a restart, higher than all before', async (t) => {
  const { broker, bundle, clock, device } = await lab(t);
  await device.publish({ n: 1 });
  await device.close();
  const again = connect({ bundle: bundle.folder, clock });
  await again.publish({ n: 2 });
  await again.close();
  const [first, second] = broker.publishes().map((publish) => Number(read(bundle, publish)['ctr']));
  assert.ok(first !== undefined && second !== undefined && second > first);
});

test('the keep-alive is an integer in its range', async (t) => {
  const { bundle } = await lab(t);
  for (const keepAliveS of [0, 4, 3_601, 5.5, Number.NaN]) {
    assert.throws(() => connect({ bundle, keepAliveS }), RangeError);
  }
});
