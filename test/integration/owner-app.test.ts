/** Owners' apps over real TLS: what they may, what they may not, and that they learn nothing else. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { appClient, pairApp } from '@holdfast/client';
import type { Bundle } from '@holdfast/device';
import { encodePublish } from '@holdfast/protocol/mqtt';
import { verifyData } from '@holdfast/server';
import {
  type DeviceIdentity,
  type InProcessServer,
  type PairedTestApp,
  RawClient,
  VirtualClock,
  collect,
  connectPacket,
  mosquittoPub,
  mosquittoTls,
  openTestApp,
  pairTestApp,
  run,
  runningMs,
  signedPayload,
  startInProcess,
  subscribePacket,
  waitFor,
} from '@holdfast/testkit';

const SECOND_MS = 1_000;

/** Two owners with two devices each. */
async function openHome(t: TestContext) {
  const server = await startInProcess(t);
  const bundles = new Map<string, Bundle>();
  for (const id of ['a-1', 'a-2', 'b-1', 'b-2'])
    bundles.set(id, await server.enroll(id, 'gateway'));
  const ada = await pairTestApp(t, server, 'a-1');
  await ada.client.addDevice((await server.client.pairCode('a-2')).text);
  const bob = await pairTestApp(t, server, 'b-1');
  await bob.client.addDevice((await server.client.pairCode('b-2')).text);
  let counter = 0;
  const report = async (id: string, members: Record<string, unknown> = {}): Promise<void> => {
    const bundle = bundles.get(id) ?? assert.fail(id);
    const device = await RawClient.connect(bundle);
    const payload = signedPayload(bundle, { ctr: (counter += 1), ...members });
    device.send(publish(`d/${id}/telemetry`, payload));
    await device.expect('puback');
    await device.abort();
  };
  return { server, bundles, ada, bob, report };
}

function publish(topic: string, payload: Uint8Array | string, retain = false): Uint8Array {
  return encodePublish(topic, Buffer.from(payload), { qos: 1, packetId: 7, retain });
}

function mqttOf({ identity }: PairedTestApp): DeviceIdentity {
  const { hostname: host, port } = new URL(identity.broker);
  return {
    device: identity.app,
    broker: { host, port: Number(port) },
    anchorPem: identity.anchorPem,
    certificatePem: identity.certificatePem,
    privateKey: createPrivateKey(identity.keyPem),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request as it is seen on the wire. */
function call(
  server: InProcessServer,
  identity: { certificatePem: string; keyPem: string; anchorPem: string },
  { method = 'GET', path, body }: { method?: string; path: string; body?: unknown },
): Promise<Answer> {
  const { certificatePem: cert, keyPem: key, anchorPem: ca } = identity;
  const agent = new Agent(cert === '' ? { ca } : { cert, key, ca });
  const headers = { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const options = { host: 'localhost', port: server.ports.api, path, method, agent, headers };
    const sent = request(options, (answer) => {
      const { statusCode: status = 0, headers: told } = answer;
      text(answer).then((found) => resolve({ status, headers: told, body: found }), reject);
    });
    sent.on('error', reject);
    sent.end(method === 'GET' ? undefined : JSON.stringify(body ?? {}));
  }).then((answer) => {
    agent.destroy();
    return answer as Answer;
  });
}

const OPERATIONS = [
  { path: '/v1/app/devices/{id}' },
  { path: '/v1/app/devices/{id}/readings' },
  { path: '/v1/app/devices/{id}/refusals' },
  { path: '/v1/app/devices/{id}/series' },
  { path: '/v1/app/devices/{id}/series/points?series=temp' },
  { method: 'POST', path: '/v1/app/devices/{id}/commands', body: { name: 'start' } },
  { method: 'POST', path: '/v1/app/devices/{id}/release' },
] as const;

async function subscribed(app: PairedTestApp, filter: string): Promise<RawClient> {
  const client = await RawClient.connect(mqttOf(app));
  client.send(subscribePacket(1, [{ filter, qos: 1 }]));
  const { reasonCodes } = await client.expect('suback');
  assert.deepEqual([...reasonCodes], [1], filter);
  return client;
}

async function reasonOf(app: PairedTestApp, filter: string): Promise<number> {
  const client = await RawClient.connect(mqttOf(app));
  client.send(subscribePacket(1, [{ filter, qos: 1 }]));
  const { reasonCodes } = await client.expect('suback');
  await client.abort();
  return reasonCodes[0] ?? -1;
}

test('an owner reads and commands its own devices, over HTTPS and by mosquitto', async (t) => {
  const { server, bundles, ada, report } = await openHome(t);
  assert.deepEqual(
    (await ada.client.devices()).map(({ id }) => id),
    ['a-1', 'a-2'],
  );
  await report('a-1', { temp: 21 });
  const [reading] = await ada.client.readings('a-1');
  assert.match(reading?.payload ?? '', /"temp": 21/);

  const bundle = bundles.get('a-1') ?? assert.fail();
  const device = await RawClient.connect(bundle);
  device.send(subscribePacket(1, [{ filter: 'd/a-1/cmd/+', qos: 1 }]));
  await device.expect('suback');
  await ada.client.command('a-1', { name: 'start', body: { speed: 2 } });
  const first = await device.expect('publish');
  assert.equal(first.topic, 'd/a-1/cmd/start');
  assert.match(Buffer.from(first.payload).toString(), /"sig": ?"[0-9a-f]{64}"/);
  const { port } = mqttOf(ada).broker;
  const command = { bundle: ada.files, port, id: ada.identity.app, topic: 'd/a-1/cmd/stop' };
  const sent = await mosquittoPub({ ...command, payload: '{"now":true}' });
  assert.equal(sent.code, 0, sent.stderr);
  const second = await device.expect('publish');
  assert.equal(second.topic, 'd/a-1/cmd/stop');
  const counter = (payload: Uint8Array): number =>
    (JSON.parse(Buffer.from(payload).toString()) as { ctr: number }).ctr;
  assert.ok(counter(second.payload) > counter(first.payload), 'each command has its counter');

  const args = [
    '-t',
    'd/a-2/telemetry/#',
    '-q',
    '1',
    '-C',
    '1',
    '-W',
    '100',
    '-i',
    ada.identity.app,
    '-d',
  ];
  // A device that reports again and again until it is heard would be held off: it connects each
  // time. stdbuf: line by line, although it is no terminal.
  const tls = mosquittoTls(ada.files, port);
  const sub = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...tls, ...args]);
  t.after(() => sub.kill());
  const heard = collect(sub);
  await waitFor('the subscription', () => heard.stdout.includes('SUBACK'));
  await report('a-2', { temp: 22 });
  await waitFor('its end', () => sub.exitCode === 0);
  await waitFor('the reading', () => /"temp": 22/.test(heard.stdout));
  assert.equal(
    (await server.client.acts()).some(({ action }) => action === 'app.pair'),
    true,
  );
});

test('another owner learns nothing of a device: absent and forbidden are one answer', async (t) => {
  const { server, ada, report } = await openHome(t);
  await report('b-1', { temp: 1 });
  for (const { path, ...operation } of OPERATIONS) {
    const answers = [];
    for (const id of ['b-1', 'x-1']) {
      const asked = { ...operation, path: path.replace('{id}', id) };
      const { status, headers, body } = await call(server, ada.identity, asked);
      const { date: _date, ...told } = headers;
      answers.push({ status, told, body });
    }
    assert.equal(answers[0]?.status, 404, path);
    assert.deepEqual(answers[0], answers[1], path);
  }
  for (const rest of ['telemetry/#', 'state', 'ack/#', 'cmd/+', '#']) {
    assert.equal(await reasonOf(ada, `d/b-1/${rest}`), 0x80, rest);
    assert.equal(await reasonOf(ada, `d/x-1/${rest}`), 0x80, rest);
  }
  for (const filter of [
    '#',
    'd/#',
    'd/+/telemetry/#',
    '+/b-1/state',
    '$holdfast/#',
    'd/a-1/cmd/+',
  ]) {
    assert.equal(await reasonOf(ada, filter), 0x80, filter);
  }
  assert.equal(await reasonOf(ada, 'd/a-1/telemetry/#'), 1);
  const owners = await call(server, ada.identity, { path: '/v1/app/devices' });
  assert.ok(!owners.body.includes('b-'), owners.body);
  // The API of people takes no certificate.
  assert.equal((await call(server, ada.identity, { path: '/v1/devices' })).status, 401);
});

test('neither a taken app forges readings, nor a taken device commands', async (t) => {
  const { server, bundles, ada, bob } = await openHome(t);
  const bundle = bundles.get('a-1') ?? assert.fail();
  const taken = await RawClient.connect(mqttOf(ada));
  for (const topic of [
    'd/a-1/telemetry',
    'd/a-1/state',
    'd/a-1/ack/1',
    'd/b-1/cmd/start',
    'd/x-1/cmd/start',
  ]) {
    const refusal = await server.expectRefusal('E_AUTHORIZE_PUBLISH', () => {
      taken.send(publish(topic, '{}'));
    });
    assert.equal(refusal.principal, `app:${ada.identity.app}`);
    await taken.expect('puback');
  }
  await taken.abort();
  const device = await RawClient.connect(bundle);
  await server.expectRefusal('E_AUTHORIZE_PUBLISH', () => {
    device.send(publish('d/a-1/cmd/start', signedPayload(bundle, { ctr: 1 })));
  });
  await device.abort();
  assert.deepEqual(await server.client.readings('a-1'), []);
  // Nor does the certificate of one kind open the doors of the other.
  const asDevice = {
    ...ada.identity,
    certificatePem: bundle.certificatePem,
    keyPem: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
  assert.equal((await call(server, asDevice, { path: '/v1/app/devices' })).status, 401);
  const post = { method: 'POST', path: '/v1/d/a-1/telemetry', body: { ctr: 1 } };
  assert.notEqual((await call(server, bob.identity, post)).status, 200);
  const code = { method: 'POST', path: '/v1/d/a-1/pair-code' };
  assert.equal((await call(server, bob.identity, code)).status, 404);
});

test('an owner is told what was refused of the own device, and nothing of another', async (t) => {
  const { server, bundles, ada, bob } = await openHome(t);
  const bundle = bundles.get('a-1') ?? assert.fail();
  const altered = signedPayload(bundle, { ctr: 900 }).toString().replace('900', '901');
  const device = await RawClient.connect(bundle);
  await server.expectRefusal('E_VERIFY_SIG', () => {
    device.send(publish('d/a-1/telemetry', altered));
  });
  await device.expect('puback');
  await server.expectRefusal('E_VERIFY_REPLAY', async () => {
    for (const _time of [1, 2]) {
      device.send(publish('d/a-1/telemetry', signedPayload(bundle, { ctr: 950 })));
      await device.expect('puback');
    }
  });
  await device.abort();
  const { refusals, since } = await ada.client.refusals('a-1');
  assert.deepEqual(
    refusals.map(({ kind, count }) => [kind, count]),
    [
      ['repeated', 1],
      ['altered', 1],
    ],
  );
  // Not from before the owner had it.
  assert.equal(since, (await ada.client.device('a-1')).since);
  assert.deepEqual((await ada.client.refusals('a-2')).refusals, []);
  assert.deepEqual((await bob.client.refusals('b-1')).refusals, []);
  const { body } = await call(server, ada.identity, { path: '/v1/app/devices/a-1/refusals' });
  assert.ok(!/127\.0\.0\.1|::1|address|E_VERIFY/u.test(body), body);

  // Whoever has it next is told nothing of it.
  await ada.client.release('a-1');
  const next = await pairTestApp(t, server, 'a-1');
  assert.deepEqual((await next.client.refusals('a-1')).refusals, []);
});

test('who gives a device away hears and commands it no more within a second', async (t) => {
  const { server, bundles, ada, bob, report } = await openHome(t);
  await report('a-1', { temp: 20 });
  const live = await subscribed(ada, 'd/a-1/telemetry/#');
  const other = await subscribed(bob, 'd/b-1/telemetry/#');
  const tookMs = await runningMs(async () => {
    await ada.client.release('a-1');
    await live.closed();
  });
  assert.ok(tookMs < SECOND_MS, `${tookMs} ms`);
  assert.equal(await reasonOf(ada, 'd/a-1/telemetry/#'), 0x80);
  assert.equal(await reasonOf(ada, 'd/a-2/telemetry/#'), 1);
  await assert.rejects(ada.client.readings('a-1'), { status: 404 });

  // The device shows a code now, and the next owner sees nothing of the one before.
  const bundle = bundles.get('a-1') ?? assert.fail();
  const asDevice = {
    ...ada.identity,
    certificatePem: bundle.certificatePem,
    keyPem: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
  const shown = await call(server, asDevice, { method: 'POST', path: '/v1/d/a-1/pair-code' });
  assert.equal(shown.status, 201, shown.body);
  const { text: pairingText } = JSON.parse(shown.body) as { text: string };
  const carol = openTestApp(t, server, await pairApp(pairingText));
  assert.deepEqual(await carol.client.readings('a-1'), []);
  await report('a-1', { temp: 30 });
  assert.equal((await carol.client.readings('a-1')).length, 1);
  assert.equal((await server.client.readings('a-1')).length, 1, 'what was sent before is erased');
  assert.ok(!other.socket.destroyed, 'nobody else noticed');
});

test('what waits in the session of an app that is away is dropped with its right', async (t) => {
  const { ada, report } = await openHome(t);
  const fields = { cleanStart: false };
  const away = await RawClient.connect(mqttOf(ada), fields);
  away.send(subscribePacket(1, [{ filter: 'd/a-1/telemetry/#', qos: 1 }]));
  await away.expect('suback');
  await away.abort();
  await report('a-1');
  await ada.client.release('a-1');
  const back = await RawClient.open(mqttOf(ada));
  back.send(connectPacket(mqttOf(ada), fields));
  const { sessionPresent } = await back.expect('connack');
  assert.equal(sessionPresent, false);
  await back.abort();
});

test('a factory reset ends the owner, erases what was sent, and leaves the device working', async (t) => {
  const { server, bundles, ada, report } = await openHome(t);
  const bundle = bundles.get('a-1') ?? assert.fail();
  await report('a-1', { temp: 20 });
  const device = await RawClient.connect(bundle);
  device.send(publish('d/a-1/state', signedPayload(bundle, { ctr: 50, on: 1 }), true));
  await device.expect('puback');
  const live = await subscribed(ada, 'd/a-1/telemetry/#');

  const { hadOwner } = await server.client.resetDevice('a-1', 'sold');
  assert.equal(hadOwner, true);
  await live.closed();
  await device.closed();
  assert.deepEqual(await server.client.readings('a-1'), []);
  assert.equal((await server.client.device('a-1')).device.state, 'active');

  const again = await pairTestApp(t, server, 'a-1');
  const heir = await subscribed(again, 'd/a-1/state');
  const replay = async (ctr: number): Promise<string[]> =>
    server.refusedDuring(async () => {
      const one = await RawClient.connect(bundle);
      one.send(publish('d/a-1/telemetry', signedPayload(bundle, { ctr })));
      await one.expect('puback');
      await one.abort();
    });
  assert.deepEqual(await replay(50), ['E_VERIFY_REPLAY']);
  assert.deepEqual(await replay(51), []);
  assert.equal((await again.client.readings('a-1')).length, 1);
  // Nothing was retained for it.
  heir.send(subscribePacket(2, [{ filter: 'd/a-1/ack/#', qos: 1 }]));
  assert.equal((await heir.next()).type, 'suback');
  await heir.abort();

  await server.restart();
});

test('a device resets itself, and the log verifies though its messages are erased', async (t) => {
  const { server, bundles, ada, report } = await openHome(t);
  await report('a-1', { temp: 20 });
  await report('a-2', { temp: 20 });
  const bundle = bundles.get('a-1') ?? assert.fail();
  const asDevice = {
    ...ada.identity,
    certificatePem: bundle.certificatePem,
    keyPem: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
  const foreign = { method: 'POST', path: '/v1/d/a-2/factory-reset' };
  assert.equal((await call(server, asDevice, foreign)).status, 404);
  const own = { method: 'POST', path: '/v1/d/a-1/factory-reset' };
  const answer = await call(server, asDevice, own);
  assert.deepEqual(
    [answer.status, JSON.parse(answer.body)],
    [200, { device: 'a-1', hadOwner: true }],
  );
  assert.deepEqual(
    (await ada.client.devices()).map(({ id }) => id),
    ['a-2'],
  );
  assert.deepEqual(await server.client.readings('a-1'), []);
  assert.equal((await ada.client.readings('a-2')).length, 1);
  const [act] = await server.client.acts({ limit: 1 });
  assert.deepEqual(
    [act?.action, act?.principal, act?.facts?.['isErased']],
    ['device.reset', 'a-1', true],
  );
  await server.stop();
  const { ok, findings, erased } = await verifyData({ dataDir: server.dataDir });
  assert.deepEqual([ok, findings, erased], [true, [], 1]);
});

test('after a reset and a restart, counters from before it are still replays', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('a-1', 'gateway');
  const send = async (on: InProcessServer, ctr: number): Promise<string[]> =>
    on.refusedDuring(async () => {
      const one = await RawClient.connect(bundle);
      one.send(publish('d/a-1/telemetry', signedPayload(bundle, { ctr })));
      await one.expect('puback');
      await one.abort();
    });
  assert.deepEqual(await send(server, 9), []);
  await server.client.resetDevice('a-1', 'sold');
  const later = await server.restart();
  assert.deepEqual(await send(later, 9), ['E_VERIFY_REPLAY']);
  assert.deepEqual(await send(later, 8), ['E_VERIFY_REPLAY']);
  assert.deepEqual(await send(later, 10), []);
  assert.equal((await later.client.readings('a-1')).length, 1);
});

test('what a device held back under the owner before does not come to the next one', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const bundle = await server.enroll('a-1', 'gateway');
  let ctr = 0;
  const send = async (agoMs: number): Promise<string[]> =>
    server.refusedDuring(async () => {
      const one = await RawClient.connect(bundle);
      const members = { ctr: (ctr += 1), ts: clock.nowMs() - agoMs };
      one.send(publish('d/a-1/telemetry', signedPayload(bundle, members)));
      await one.expect('puback');
      await one.abort();
    });
  assert.deepEqual(await send(3_600_000), []);
  await server.client.resetDevice('a-1', 'sold');
  clock.advance(1_200_000);
  assert.deepEqual(await send(1_200_001), ['E_VERIFY_STALE']);
  assert.deepEqual(await send(1_200_000), []);
  assert.deepEqual(await send(0), []);
  assert.equal((await server.client.readings('a-1')).length, 2);
});

test('a code is used once: by the same key again, by another one never', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const bundle = await server.enroll('a-1');
  const { code, of } = await server.client.pairCode('a-1');
  const { anchorPem } = bundle;
  const stranger = { certificatePem: '', keyPem: '', anchorPem };
  const pair = async (body: Record<string, string>): Promise<Answer> => {
    let isDone = false;
    const asked = { method: 'POST', path: '/v1/pair', body };
    const answer = call(server, stranger, asked).finally(() => (isDone = true));
    // A wrong code is answered late, by the clock of the server.
    await waitFor('the answer', () => {
      if (!isDone) clock.advance(600);
      return isDone;
    });
    return answer;
  };
  const [csr, otherCsr] = [await newCsr(), await newCsr()];
  const first = await pair({ of, code, csr });
  assert.equal(first.status, 201, first.body);
  assert.equal((await pair({ of, code, csr })).body, first.body);
  const bodies = new Set<string>();
  const finding = await server.expectRefusal('E_ENROLL_PAIR_USED', async () => {
    bodies.add((await pair({ of, code, csr: otherCsr })).body);
  });
  assert.match(finding.detail, /another key/);
  // Whatever is wrong with a code, the answer is the same.
  for (const wrong of [
    { of, code: '0000-0000-0000-0000' },
    { of: 'x-1', code },
  ]) {
    bodies.add((await pair({ ...wrong, csr })).body);
  }
  clock.advance(10 * 60_000);
  bodies.add((await pair({ of, code, csr })).body);
  assert.equal(bodies.size, 1, [...bodies].join('\n'));
  assert.match([...bodies].join(), /E_ENROLL_PAIR"/);
  await assert.rejects(server.client.pairCode('a-1'), { code: 'E_OPERATE_CONFLICT' });
});

test('wrong codes are limited, and a right one still counts', async (t) => {
  const server = await startInProcess(t);
  const { anchorPem } = await server.enroll('a-1');
  const { text: label } = await server.client.pairCode('a-1');
  const csr = await newCsr();
  const wrong = { of: 'a-1', code: '0000-0000-0000-0000', csr };
  const asked = { method: 'POST', path: '/v1/pair', body: wrong };
  const stranger = { certificatePem: '', keyPem: '', anchorPem };
  const answers = await Promise.all(Array.from({ length: 6 }, () => call(server, stranger, asked)));
  const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
  assert.deepEqual(statuses, [403, 403, 403, 403, 403, 429]);
  assert.match((await pairApp(label)).app, /^[a-z2-7]{20}\.[a-z2-7]{12}$/);
});

async function newCsr(): Promise<string> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const args = ['req', '-new', ...key, '-keyout', '/dev/null', '-subj', '/CN=app'];
  const { stdout, stderr, code } = await run('openssl', args);
  assert.equal(code, 0, stderr);
  return stdout;
}

test('an owner invites an app, removes one, and renews by a new key', async (t) => {
  const { server, ada } = await openHome(t);
  const { text: invitation } = await ada.client.invite();
  const tablet = openTestApp(t, server, await pairApp(invitation));
  assert.deepEqual(
    (await tablet.client.devices()).map(({ id }) => id),
    ['a-1', 'a-2'],
  );
  assert.equal((await ada.client.apps()).length, 2);
  const live = await subscribed(tablet, 'd/a-1/telemetry/#');
  await ada.client.removeApp(tablet.identity.app);
  await live.closed();
  await assert.rejects(RawClient.connect(mqttOf(tablet)));
  await assert.rejects(tablet.client.devices());

  const old = await subscribed(ada, 'd/a-1/telemetry/#');
  const renewed = await ada.client.renew();
  assert.equal((await ada.client.devices()).length, 2, 'the old one counts until the new one does');
  const now = appClient(renewed);
  t.after(() => now.close());
  assert.equal((await now.devices()).length, 2);
  await old.closed();
  const refusal = await call(server, ada.identity, { path: '/v1/app/devices' });
  assert.equal(refusal.status, 401);
});
