/** What devices send over HTTPS, over real TLS: the same gate and the same journal as MQTT. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  type InProcessServer,
  RawClient,
  VirtualClock,
  runningMs,
  signedPayload,
  startInProcess,
  subscribePacket,
  waitFor,
} from '@holdfast/testkit';

interface Answer {
  readonly status: number;
  readonly body: { accepted?: number; refused?: number[]; error?: { code: string } };
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const NDJSON = { 'content-type': 'application/x-ndjson' };

/** A device that sends over HTTPS, on one connection as long as it stays open. */
function clientOf(t: TestContext, server: InProcessServer, bundle: Bundle | undefined) {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ...(bundle === undefined
      ? {}
      : {
          cert: bundle.certificatePem,
          key: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
        }),
  });
  t.after(() => agent.destroy());
  const id = bundle?.device ?? 'pump-1';
  return {
    agent,
    /** Sends one request. */
    send({ path = `/v1/d/${id}/telemetry`, method = 'POST', headers = {}, body = '' }: Sent) {
      return new Promise<Answer>((resolve, reject) => {
        const outgoing = request(
          {
            host: 'localhost',
            port: server.ports.api,
            path,
            method,
            agent,
            ca: anchorOf(server),
            headers: { 'content-type': 'application/json', ...headers },
          },
          (incoming) => {
            const { statusCode: status = 0, headers } = incoming;
            const answer = (found: string): void =>
              resolve({ status, headers, body: JSON.parse(found) as Answer['body'] });
            text(incoming).then(answer, reject);
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    },
    /** Whether the connection of the last request is still open. */
    isOpen: () => Object.values(agent.freeSockets).some((sockets) => (sockets?.length ?? 0) > 0),
  };
}

const anchors = new WeakMap<InProcessServer, string>();
function anchorOf(server: InProcessServer): string {
  return anchors.get(server) ?? assert.fail('enroll a device first');
}

async function enroll(
  server: InProcessServer,
  id: string,
  deviceClass: 'sensor' | 'gateway' = 'gateway',
): Promise<{ bundle: Bundle; reading: (members?: Record<string, unknown>) => Buffer }> {
  const bundle = await server.enroll(id, deviceClass);
  anchors.set(server, bundle.anchorPem);
  let counter = 0;
  return {
    bundle,
    reading: (members = {}) => signedPayload(bundle, { ctr: (counter += 1), ...members }),
  };
}

const countOf = async (server: InProcessServer, id: string): Promise<number> =>
  (await server.client.readings(id, { limit: 1_000 })).length;

const stateOf = async (server: InProcessServer, id: string): Promise<string> =>
  (await server.client.device(id)).device.state;

test('a device sends over HTTPS what it sends over MQTT', async (t) => {
  const server = await startInProcess(t);
  const { bundle, reading } = await enroll(server, 'pump-1');
  const client = clientOf(t, server, bundle);

  await t.test('one message, which makes a claimed device active', async () => {
    assert.equal(await stateOf(server, 'pump-1'), 'claimed');
    const first = reading({ temp: 21.5 });
    const answer = await client.send({ body: first, path: '/v1/d/pump-1/telemetry/a/b' });
    assert.deepEqual([answer.status, answer.body], [200, { accepted: 1 }]);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(await stateOf(server, 'pump-1'), 'active');
    const [stored] = await server.client.readings('pump-1');
    assert.equal(stored?.topic, 'd/pump-1/telemetry/a/b');
    assert.equal(stored?.payload, first.toString());
  });

  await t.test('a batch, and the same batch again stores nothing twice', async () => {
    const before = await countOf(server, 'pump-1');
    const body = Buffer.concat([1, 2, 3].flatMap(() => [reading(), Buffer.from('\n')]));
    const answer = await client.send({ body, headers: NDJSON });
    assert.deepEqual([answer.status, answer.body], [200, { accepted: 3 }]);
    const again = await client.send({ body, headers: NDJSON });
    assert.deepEqual([again.status, again.body], [422, { accepted: 0, refused: [1, 2, 3] }]);
    assert.equal(await countOf(server, 'pump-1'), before + 3);
  });

  await t.test('of a batch in part, which lines; why is for the operator alone', async () => {
    const forged = reading()
      .toString()
      .replace(/(?<="sig": ")./u, (digit) => (digit === '0' ? '1' : '0'));
    const lines = [reading(), forged, '', reading(), '{}'];
    const codes = await server.refusedDuring(async () => {
      const answer = await client.send({ body: lines.join('\n'), headers: NDJSON });
      assert.deepEqual([answer.status, answer.body], [422, { accepted: 2, refused: [2, 3, 5] }]);
    });
    assert.deepEqual(codes, ['E_VERIFY_SIG', 'E_VERIFY_JSON', 'E_VERIFY_SIG_MISSING']);
  });

  await t.test('any bytes, signed in the headers as form 2', async () => {
    const body = Buffer.from([0, 1, 2, 255]);
    const { kid } = bundle;
    const head = `holdfast-2\ntopic=d/pump-1/telemetry\nkid=${kid}\nctr=1000000\n\n`;
    const hmac = createHmac('sha256', bundle.payloadKey);
    const sig = hmac.update(head).update(body).digest('hex');
    const headers = { 'x-holdfast-sig': sig, 'x-holdfast-kid': kid, 'x-holdfast-ctr': '1000000' };
    const answer = await client.send({ body, headers });
    assert.deepEqual([answer.status, answer.body], [200, { accepted: 1 }]);
    const moved = await client.send({ body, headers, path: '/v1/d/pump-1/telemetry/other' });
    assert.equal(moved.status, 422);
  });

  await t.test('on one connection', () => assert.ok(client.isOpen()));

  await t.test('a subscriber hears it', async () => {
    const other = await server.enroll('listener-1', 'service');
    const listener = await RawClient.connect(other);
    listener.send(subscribePacket(1, [{ filter: 'd/+/telemetry/#', qos: 1 }]));
    await listener.expect('suback');
    // The counter of form 2 above is the highest so far.
    const body = signedPayload(bundle, { ctr: 1_000_001 });
    assert.equal((await client.send({ body })).status, 200);
    assert.deepEqual(Buffer.from((await listener.expect('publish')).payload), body);
    await listener.abort();
  });

  await t.test('a replay window is shared with MQTT', async () => {
    const payload = signedPayload(bundle, { ctr: 1_000_010 });
    const mqtt = await RawClient.connect(bundle);
    const publish = { qos: 1, packetId: 1, dup: false } as const;
    mqtt.send(encodePublish('d/pump-1/telemetry', payload, publish));
    await mqtt.expect('puback');
    assert.equal((await client.send({ body: payload })).status, 422);
    await mqtt.abort();
  });
});

test('who may not send, is told nothing', async (t) => {
  const server = await startInProcess(t);
  const { bundle, reading } = await enroll(server, 'pump-1');
  await enroll(server, 'pump-2');
  const client = clientOf(t, server, bundle);
  const body = reading();

  await t.test('no certificate: 401, and the connection is closed', async () => {
    const nobody = clientOf(t, server, undefined);
    await server.expectRefusal('E_SESSION_NO_CERTIFICATE', async () => {
      const { status, headers } = await nobody.send({ body });
      assert.deepEqual([status, headers.connection], [401, 'close']);
    });
  });

  await t.test('another device in the path: the same answer as one that is not there', async () => {
    const ask = async (path: string) => {
      const { status, body: found } = await client.send({ body, path });
      return { status, found };
    };
    const codes = await server.refusedDuring(async () => {
      const other = await ask('/v1/d/pump-2/telemetry');
      assert.equal(other.status, 404);
      assert.deepEqual(await ask('/v1/d/pump-3/telemetry'), other);
      assert.deepEqual(await ask('/v1/d/pump-1/state'), other);
      assert.deepEqual(await ask('/v1/d/pump-1'), other);
    });
    // The answer does not wait until the refusal is stored: the last ones may still be on their way.
    assert.equal(codes[0], 'E_AUTHORIZE_PUBLISH');
    assert.equal(await countOf(server, 'pump-2'), 0);
  });

  await t.test('another method, another type, too much', async () => {
    const get = await client.send({ method: 'GET' });
    assert.deepEqual([get.status, get.headers['allow']], [405, 'POST']);
    assert.equal((await client.send({ body, headers: { 'content-type': 'a/b' } })).status, 415);
    assert.equal((await client.send({ body: 'x'.repeat(65_537) })).status, 413);
    const lines = (count: number) => client.send({ body: 'x\n'.repeat(count), headers: NDJSON });
    assert.equal((await lines(1_001)).status, 413);
    assert.equal((await lines(1_000)).status, 422);
    const large = 'x'.repeat(1_048_577);
    assert.equal((await client.send({ body: large, headers: NDJSON })).status, 413);
  });

  await t.test('revoked in the middle of a kept-alive connection: closed, and out', async () => {
    assert.equal((await client.send({ body })).status, 200);
    assert.ok(client.isOpen());
    const tookMs = await runningMs(async () => {
      await server.client.revokeDevice('pump-1', 'stolen');
      await waitFor('the connection to be closed', () => !client.isOpen());
    });
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
    t.diagnostic(`closed ${tookMs} ms after the revocation began`);
    // The agent comes back with a ticket of the old connection: resumed is judged as well.
    await server.expectRefusal('E_SESSION_REVOKED', async () => {
      const { status, headers } = await client.send({ body: reading() });
      assert.deepEqual([status, headers.connection], [401, 'close']);
    });
  });
});

test('a device that sends too much waits, over HTTPS and MQTT together', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const { bundle, reading } = await enroll(server, 'pump-1', 'sensor');
  const client = clientOf(t, server, bundle);
  const batch = (count: number): string =>
    Array.from({ length: count }, () => reading().toString()).join('\n');
  const send = (count: number) => client.send({ body: batch(count), headers: NDJSON });
  assert.equal((await send(1_000)).status, 200);
  // It owes nothing yet: one request more is taken, on credit.
  assert.equal((await send(500)).status, 200);
  const refused = await send(1);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '5']);
  assert.equal(await countOf(server, 'pump-1'), 1_000);
  clock.advance(4_999);
  assert.equal((await send(1)).status, 429);
  clock.advance(1);
  const mqtt = await RawClient.connect(bundle);
  mqtt.send(encodePublish('d/pump-1/telemetry', reading(), { qos: 1, packetId: 1, dup: false }));
  // It used up what there was: over MQTT the answer waits, over HTTPS it says so.
  assert.equal((await send(1)).status, 429);
  await mqtt.abort();
});

test('an API key in the header', async (t) => {
  const server = await startInProcess(t);
  const { bundle, reading } = await enroll(server, 'pump-1');
  const client = clientOf(t, server, bundle);
  const send = async (key?: string) => {
    const headers = key === undefined ? {} : { 'x-holdfast-api-key': key };
    return (await client.send({ body: reading(), headers })).status;
  };
  assert.equal(await send(), 200);
  const { key, apiKey } = await server.client.createDeviceApiKey('pump-1', {});
  assert.deepEqual([await send(), await send(key), await send(key)], [200, 200, 200]);
  await server.client.setDeviceClass('gateway', { requiresApiKey: true });
  await server.expectRefusal('E_SESSION_API_KEY', async () => assert.equal(await send(), 401));
  const wrong = key.replace(/.$/u, (last) => (last === 'A' ? 'B' : 'A'));
  assert.deepEqual([await send(wrong), await send('x'), await send(key)], [401, 401, 200]);
  const { key: next, previous } = await server.client.createDeviceApiKey('pump-1', {});
  assert.equal(previous?.id, apiKey.id);
  assert.deepEqual([await send(key), await send(next)], [200, 200]);
  await server.client.deleteDeviceApiKey('pump-1', apiKey.id);
  assert.deepEqual([await send(key), await send(next)], [401, 200]);
  const [left] = await server.client.deviceApiKeys('pump-1');
  assert.ok(left?.usedAt !== undefined);
});
