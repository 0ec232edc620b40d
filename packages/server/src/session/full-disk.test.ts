/** What peers are told while messages are refused for want of room: over memory, not TLS. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { refuse } from '@holdfast/protocol';
import {
  type ProtocolLevel,
  type Qos,
  type ServerPacket,
  encodePingreq,
  encodePublish,
} from '@holdfast/protocol/mqtt';
import { type BrokerLab, type LabClient, openBrokerLab } from './broker-lab.testing.ts';
import type { PublishDone } from './handler.ts';

const said = (packets: readonly ServerPacket[]): string[] =>
  packets.map((packet) =>
    'reasonCode' in packet && packet.reasonCode > 0
      ? `${packet.type} 0x${packet.reasonCode.toString(16)}`
      : packet.type,
  );

/** A broker whose disk is full from the start, and a client of a level. */
async function fullBroker(t: TestContext, level: ProtocolLevel) {
  const taken: string[] = [];
  const waiting: PublishDone[] = [];
  const refusal = refuse('E_JOURNAL_DISK_FULL', '');
  const disk = { isFull: true, holds: false };
  const lab = openBrokerLab(t, {
    openHandler: () =>
      Promise.resolve({
        publish: ({ topic }, done) => {
          if (!disk.isFull) taken.push(topic);
          if (disk.holds) waiting.push(done);
          else if (disk.isFull) done(false, refusal);
          else done(true);
        },
        verifyWill: () => refusal,
        permitSubscription: () => true,
      }),
  });
  const setFull = (isFull: boolean): void => {
    disk.isFull = isFull;
    lab.table.setFull(isFull);
  };
  lab.table.setFull(true);
  const client = lab.connect('pump-1', { protocolLevel: level, keepAliveS: 10 });
  await client.received();
  const send = (topic: string, qos: Qos, packetId: number, isDup = false): void => {
    const frame = encodePublish(topic, new Uint8Array(0), { qos, packetId, dup: isDup }, level);
    client.write(frame);
  };
  return { lab, client, disk, taken, waiting, refusal, setFull, send };
}

async function heard(client: LabClient): Promise<string[]> {
  return said(await client.received());
}

function sweep(lab: BrokerLab, seconds: number): void {
  for (let n = 0; n < seconds; n += 1) lab.clock.advance(1_000);
}

test('MQTT 5 is told that the quota is exceeded, and what is sent again is taken', async (t) => {
  const { client, taken, setFull, send } = await fullBroker(t, 5);
  send('none', 0, 0);
  send('one', 1, 1);
  send('two', 2, 2);
  assert.deepEqual(await heard(client), ['puback 0x97', 'pubrec 0x97']);
  client.write(encodePingreq());
  assert.deepEqual(await heard(client), ['pingresp'], 'all else goes on');
  setFull(false);
  send('one', 1, 1);
  send('two', 2, 2);
  assert.deepEqual(await heard(client), ['puback', 'pubrec'], 'both ids were free');
  assert.deepEqual(taken, ['one', 'two']);
});

test('a repetition that waits behind a refusal of the first one is refused as well', async (t) => {
  const { lab, client, disk, waiting, refusal, send } = await fullBroker(t, 5);
  disk.holds = true;
  lab.memory.isHeld = true;
  send('two', 2, 2);
  await heard(client);
  send('two', 2, 2, true);
  await heard(client);
  assert.equal(waiting.length, 1);
  waiting[0]?.(false, refusal);
  for (const done of lab.memory.held.splice(0)) done();
  const answers = await heard(client);
  assert.ok(
    answers.length > 0 && answers.every((answer) => answer === 'pubrec 0x97'),
    answers.join(),
  );
});

for (const qos of [1, 2] as const) {
  test(`MQTT 3.1.1 gets no answer at QoS ${qos}, is not read from, and goes on`, async (t) => {
    const { lab, client, taken, setFull, send } = await fullBroker(t, 4);
    client.write(encodePingreq());
    assert.deepEqual(await heard(client), ['pingresp'], 'who publishes nothing notices nothing');
    send('none', 0, 0);
    send('first', qos, 1);
    send('second', qos, 2);
    client.write(encodePingreq());
    assert.deepEqual(await heard(client), []);
    sweep(lab, 100);
    assert.ok(!client.isClosed(), 'it is not silent: it waits for us');
    setFull(false);
    const answer = qos === 1 ? 'puback' : 'pubrec';
    assert.deepEqual(await heard(client), [answer, answer, 'pingresp']);
    assert.deepEqual(taken, ['first', 'second'], 'in their order');
  });
}

test('a connection that ends while its message is held leaves nothing behind', async (t) => {
  const { lab, client, taken, setFull, send } = await fullBroker(t, 4);
  send('held', 1, 1);
  await heard(client);
  lab.table.endReset('pump-1');
  await heard(client);
  setFull(false);
  assert.deepEqual(taken, []);
  assert.equal(lab.table.count, 0);
});
