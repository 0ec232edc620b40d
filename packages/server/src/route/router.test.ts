import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Grant } from '../authorize/index.ts';
import { generatePrivateKey } from '../crypto/index.ts';
import { Journal, type JournaledMessage, MessageJournal } from '../journal/index.ts';
import { createLog } from '../kernel/index.ts';
import { openLab, parsed } from '../session/lab.testing.ts';
import { DeviceVerifier } from '../verify/index.ts';
import { Router } from './router.ts';

type Publish = (
  topic: string,
  options?: { readonly retain?: boolean; readonly qos?: 0 | 1 },
) => Promise<JournaledMessage>;

/** Makes messages as the stages before make them: there is no other way to one. */
async function openPublisher(t: TestContext): Promise<Publish> {
  const lab = openLab(t);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-router-'));
  const journal = await Journal.open({
    path: join(folder, 'log.db'),
    origin: 'test/log',
    signingKey: generatePrivateKey('Ed25519'),
    clock: lab.clock,
    log: createLog({ form: 'json', level: 'silent', write: () => {} }),
    onFatal: (error) => assert.fail(error),
  });
  t.after(async () => {
    await journal.close();
    rmSync(folder, { recursive: true });
  });
  const messages = new MessageJournal(journal, { keyring: lab.store.keyring });
  const { device, certificate } = lab.enroll('pump-1');
  const grant = new Grant(lab.admit(certificate));
  const keys = lab.payloadKeys.of(device);
  const verifier = new DeviceVerifier({ device, keys, clock: lab.clock, counterHighest: -1 });
  let counter = 0;
  return (topic, { retain = false, qos = 1 } = {}) => {
    counter += 1;
    const signed = `{"ctr": ${counter}}`;
    const sig = createHmac('sha256', keys.payloadKey.expose()).update(signed).digest('hex');
    const payload = Buffer.from(`${signed.slice(0, -1)}, "sig": "${sig}"}`);
    const verified = parsed(
      verifier.verify(parsed(grant.permitPublish({ topic, payload, retain, qos }))),
    );
    return new Promise((resolve) => messages.append(verified, resolve));
  };
}

/** Notes what is delivered: counter, QoS and RETAIN. */
class Receiver {
  readonly heard: string[] = [];

  deliver(message: { payload: Uint8Array; qos: 0 | 1; retain: boolean; topic: string }): void {
    const { ctr } = JSON.parse(Buffer.from(message.payload).toString()) as { ctr: number };
    this.heard.push(`${ctr} qos ${message.qos}${message.retain ? ' retained' : ''}`);
  }
}

const STATE = 'd/pump-1/state';

test('the newest retained message awaits a new subscription [MQTT-3.3.1-5] [MQTT-3.3.1-6]', async (t) => {
  const publish = await openPublisher(t);
  const router = new Router();
  router.route(await publish(STATE, { retain: true }));
  router.route(await publish(STATE, { retain: true }));
  // One that is not to be retained leaves the retained one alone. [MQTT-3.3.1-12]
  router.route(await publish(STATE));
  const late = new Receiver();
  router.subscribe('d/+/state', late, 1);
  router.deliverRetained('d/+/state', late, 1);
  assert.deepEqual(late.heard, ['2 qos 1 retained']);
  const elsewhere = new Receiver();
  router.deliverRetained('d/+/telemetry/#', elsewhere, 1);
  assert.deepEqual(elsewhere.heard, []);
});

test('RETAIN is set for new subscriptions alone [MQTT-3.3.1-8] [MQTT-3.3.1-9]', async (t) => {
  const publish = await openPublisher(t);
  const router = new Router();
  const receiver = new Receiver();
  router.subscribe(STATE, receiver, 1);
  router.route(await publish(STATE, { retain: true }));
  router.deliverRetained(STATE, receiver, 1);
  assert.deepEqual(receiver.heard, ['1 qos 1', '1 qos 1 retained']);
});

test('a delivery has the smaller QoS of message and subscription [MQTT-3.8.4-6]', async (t) => {
  const publish = await openPublisher(t);
  const router = new Router();
  const [atMostOnce, atLeastOnce] = [new Receiver(), new Receiver()];
  router.subscribe(STATE, atMostOnce, 0);
  router.subscribe(STATE, atLeastOnce, 1);
  router.route(await publish(STATE, { qos: 0, retain: true }));
  router.deliverRetained(STATE, atLeastOnce, 1);
  router.route(await publish(STATE, { qos: 1, retain: true }));
  router.deliverRetained(STATE, atMostOnce, 0);
  assert.deepEqual(atMostOnce.heard, ['1 qos 0', '2 qos 0', '2 qos 0 retained']);
  assert.deepEqual(atLeastOnce.heard, ['1 qos 0', '1 qos 0 retained', '2 qos 1']);
});

test('it tells how many got a message, and forgets who unsubscribed', async (t) => {
  const publish = await openPublisher(t);
  const router = new Router();
  const [one, other] = [new Receiver(), new Receiver()];
  const receivers = async (): Promise<number> => router.route(await publish(STATE)).receivers;
  assert.equal(await receivers(), 0);
  router.subscribe('d/#', one, 1);
  router.subscribe(STATE, one, 0);
  router.subscribe(STATE, other, 1);
  assert.equal(await receivers(), 2);
  router.unsubscribe(STATE, other);
  router.unsubscribe(STATE, other);
  assert.equal(await receivers(), 1);
  assert.deepEqual(one.heard, ['2 qos 1', '3 qos 1']);
});
