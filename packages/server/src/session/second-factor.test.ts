import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { pbkdf2Sync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Refusal } from '@holdfast/protocol';
import { type Connect, REASON, type ServerPacket, encodeAuth } from '@holdfast/protocol/mqtt';
import { systemRandom } from '../kernel/index.ts';
import { ClassSettings, DeviceApiKeys, deriveVerifier, hmacSha256 } from '../registry/index.ts';
import { ApiKeyCheck } from './api-key-check.ts';
import { type LabClient, openBrokerLab } from './broker-lab.testing.ts';
import { API_KEY_CHECKS_PER_DEVICE } from './limits.ts';
import { SCRAM_METHOD, ScramAuthenticator, randomNonce } from './scram-authenticator.ts';
import type { SecondFactor } from './second-factor.ts';

const WEEK_MS = 7 * 86_400_000;

/** A broker whose devices may have API keys. */
function open(t: TestContext) {
  // The parts of the check need the store of the lab, which needs the check.
  let check: ApiKeyCheck | undefined;
  const later = (): ApiKeyCheck => check ?? assert.fail('not yet');
  const pending: ((deviceId: string | undefined) => void)[] = [];
  const secondFactor: SecondFactor = {
    checkPassword: (...args) => later().checkPassword(...args),
    recheck: (...args) => later().recheck(...args),
    onChange: (listener) => {
      pending.push(listener);
      return () => {};
    },
  };
  const authenticators = new Map();
  const lab = openBrokerLab(t, { secondFactor, authenticators });
  const { store, registry, clock } = lab;
  const apiKeys = new DeviceApiKeys(store, { clock, random: systemRandom, registry });
  const classSettings = new ClassSettings(store);
  check = new ApiKeyCheck({ apiKeys, classSettings, registry });
  for (const listener of pending) check.onChange(listener);
  const scram = new ScramAuthenticator({ apiKeys, nonce: randomNonce(systemRandom) });
  authenticators.set(SCRAM_METHOD, scram);
  return {
    ...lab,
    refusals: lab.refusals,
    apiKeys,
    classSettings,
    check,
    async createKey(id: string, overlapMs = WEEK_MS) {
      if (registry.byId(id) === undefined) lab.connect(id).peer.destroy();
      const made = await apiKeys.make(id, {});
      assert.equal(apiKeys.keep(made, overlapMs), undefined);
      return { id: made.record.id, key: made.key.expose() };
    },
  };
}

const requireKey = ({ classSettings }: { classSettings: ClassSettings }): void =>
  classSettings.set('sensor', { requiresApiKey: true, onClone: 'report' });

const password = (key: string): Partial<Connect> => ({
  protocolLevel: 4,
  userName: '',
  password: Buffer.from(key),
});

/** What the server sends next; a key is checked in another thread meanwhile. */
async function next(client: LabClient): Promise<ServerPacket | 'closed'> {
  for (let n = 0; n < 20_000; n += 1) {
    const [packet] = await client.received();
    if (packet !== undefined) return packet;
    if (client.isClosed()) return 'closed';
    await wait(2);
  }
  throw new Error('nothing came');
}

async function reasonOf(client: LabClient): Promise<number> {
  const packet = await next(client);
  assert.ok(packet !== 'closed' && packet.type === 'connack', JSON.stringify(packet));
  return packet.reasonCode;
}

/** The client's side of SCRAM, written down once more by the standard. */
function scramClient(user: string, key: string) {
  const nonce = Buffer.from(systemRandom(18)).toString('base64');
  const bare = `n=${user},r=${nonce}`;
  return {
    first: Buffer.from(`n,,${bare}`),
    final(challenge: Uint8Array | undefined): { data: Buffer; signature: string } {
      const text = Buffer.from(challenge ?? []).toString();
      const [, all = '', salt = '', count = ''] = /^r=(.+),s=(.+),i=(\d+)$/u.exec(text) ?? [];
      const salted = pbkdf2Sync(key, Buffer.from(salt, 'base64'), Number(count), 32, 'sha256');
      const clientKey = hmacSha256(salted, 'Client Key');
      const stored = createHash('sha256').update(clientKey).digest();
      const withoutProof = `c=biws,r=${all}`;
      const auth = `${bare},${text},${withoutProof}`;
      const mask = hmacSha256(stored, auth);
      const proof = clientKey.map((byte, i) => byte ^ (mask[i] ?? 0));
      const signature = hmacSha256(hmacSha256(salted, 'Server Key'), auth).toString('base64');
      return {
        data: Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`),
        signature: `v=${signature}`,
      };
    },
  };
}

const auth = (authData: Uint8Array, reasonCode: number = REASON.continueAuthentication) =>
  encodeAuth({ reasonCode, properties: { authMethod: SCRAM_METHOD, authData } });

test('a device that needs no API key connects without one, and not with a wrong one', async (t) => {
  const lab = open(t);
  assert.equal(await reasonOf(lab.connect('pump-1', { protocolLevel: 4 })), 0);
  const { key } = await lab.createKey('pump-1');
  assert.equal(await reasonOf(lab.connect('pump-1', { protocolLevel: 4 })), 0);
  assert.equal(await reasonOf(lab.connect('pump-1', password(key))), 0);
  const wrong = key.replace(/.$/u, (last) => (last === 'A' ? 'B' : 'A'));
  assert.equal(await reasonOf(lab.connect('pump-1', password(wrong))), 4);
  const five = { ...password(wrong), protocolLevel: 5 } as const;
  assert.equal(await reasonOf(lab.connect('pump-1', five)), 0x86);
  assert.deepEqual(lab.refusals, ['E_SESSION_API_KEY', 'E_SESSION_API_KEY']);
});

test('a password that is no key, and one of a device without keys, are refused the same', async (t) => {
  const lab = open(t);
  const { key } = await lab.createKey('pump-1');
  for (const text of ['', 'secret', `${key}0`, key]) {
    assert.equal(await reasonOf(lab.connect('pump-2', password(text))), 4, text);
  }
});

test('the user name beside a key is empty, or the device id', async (t) => {
  const lab = open(t);
  const { key } = await lab.createKey('pump-1');
  assert.equal(await reasonOf(lab.connect('pump-1', { ...password(key), userName: 'pump-1' })), 0);
  assert.equal(await reasonOf(lab.connect('pump-1', { ...password(key), userName: 'pump-2' })), 4);
});

test('a class that requires a key refuses who shows none, in either version', async (t) => {
  const lab = open(t);
  const { key } = await lab.createKey('pump-1');
  requireKey(lab);
  assert.equal(await reasonOf(lab.connect('pump-1', { protocolLevel: 4 })), 5);
  assert.equal(await reasonOf(lab.connect('pump-1')), 0x87);
  assert.equal(await reasonOf(lab.connect('pump-1', password(key))), 0);
});

test('a class that begins to require a key closes who has shown none, at once', async (t) => {
  const lab = open(t);
  const { key } = await lab.createKey('pump-1');
  const [without, shown] = [lab.connect('pump-2'), lab.connect('pump-1', password(key))];
  assert.deepEqual([await reasonOf(without), await reasonOf(shown)], [0, 0]);
  requireKey(lab);
  const word = await next(without);
  assert.ok(word !== 'closed' && word.type === 'disconnect');
  assert.equal(word.reasonCode, REASON.administrativeAction);
  assert.ok(without.isClosed());
  assert.ok(!shown.isClosed());
});

test('a key that is removed closes who has shown it, and nobody else', async (t) => {
  const lab = open(t);
  const first = await lab.createKey('pump-1');
  const other = await lab.createKey('pump-2');
  const clients = [
    lab.connect('pump-1', password(first.key)),
    lab.connect('pump-2', password(other.key)),
  ] as const;
  for (const client of clients) assert.equal(await reasonOf(client), 0);
  assert.ok(lab.apiKeys.remove('pump-1', first.id));
  assert.deepEqual(
    clients.map((client) => client.isClosed()),
    [true, false],
  );
});

test('a key whose overlap ends closes who has shown it within a second', async (t) => {
  const lab = open(t);
  const first = await lab.createKey('pump-1');
  const client = lab.connect('pump-1', password(first.key));
  assert.equal(await reasonOf(client), 0);
  await lab.createKey('pump-1', 10_000);
  lab.clock.advance(9_000);
  assert.ok(!client.isClosed());
  lab.clock.advance(1_000);
  assert.ok(client.isClosed());
});

test('a key that is removed while its check waits does not let in', async (t) => {
  const lab = open(t);
  const { id, key } = await lab.createKey('pump-1');
  const verifiersOf = lab.apiKeys.verifiersOf.bind(lab.apiKeys);
  // When the check has what it compares with, and has yet to go to its thread.
  lab.apiKeys.verifiersOf = (deviceId) => {
    const verifiers = verifiersOf(deviceId);
    assert.ok(lab.apiKeys.remove(deviceId, id));
    return verifiers;
  };
  assert.equal(await reasonOf(lab.connect('pump-1', password(key))), 4);
});

test('SCRAM: the key is proven, the server proves that it knows it, and it is never sent', async (t) => {
  const lab = open(t);
  const { id, key } = await lab.createKey('pump-1');
  requireKey(lab);
  const scram = scramClient('pump-1', key);
  const properties = { authMethod: SCRAM_METHOD, authData: scram.first };
  const client = lab.connect('pump-1', { properties });
  const challenge = await next(client);
  assert.ok(challenge !== 'closed' && challenge.type === 'auth');
  const { data, signature } = scram.final(challenge.properties.authData);
  client.write(auth(data));
  const connack = await next(client);
  assert.ok(connack !== 'closed' && connack.type === 'connack');
  assert.equal(connack.reasonCode, 0);
  assert.equal(connack.properties.authMethod, SCRAM_METHOD);
  assert.equal(Buffer.from(connack.properties.authData ?? []).toString(), signature);
  assert.ok(lab.apiKeys.of('pump-1').find((one) => one.id === id)?.usedAtMs !== undefined);
  assert.ok(lab.apiKeys.remove('pump-1', id));
  assert.ok(client.isClosed());
});

test('SCRAM: a wrong key, and the name of another, are refused with 0x87', async (t) => {
  const lab = open(t);
  const { key } = await lab.createKey('pump-1');
  const other = await lab.createKey('pump-2');
  const wrong = scramClient('pump-1', other.key);
  const options = { properties: { authMethod: SCRAM_METHOD, authData: wrong.first } };
  const client = lab.connect('pump-1', options);
  const challenge = await next(client);
  assert.ok(challenge !== 'closed' && challenge.type === 'auth');
  client.write(auth(wrong.final(challenge.properties.authData).data));
  assert.equal(await reasonOf(client), 0x87);
  const named = scramClient('pump-1', key);
  const authData = named.first;
  const thief = lab.connect('pump-2', { properties: { authMethod: SCRAM_METHOD, authData } });
  assert.equal(await reasonOf(thief), 0x87);
  assert.deepEqual(lab.refusals, ['E_SESSION_API_KEY', 'E_SESSION_API_KEY']);
});

test('SCRAM again on a live connection: with the new key it outlives the old one', async (t) => {
  const lab = open(t);
  const first = await lab.createKey('pump-1');
  const run = async (client: LabClient, key: string, begin: (data: Uint8Array) => void) => {
    const scram = scramClient('pump-1', key);
    begin(scram.first);
    const challenge = await next(client);
    assert.ok(challenge !== 'closed' && challenge.type === 'auth');
    client.write(auth(scram.final(challenge.properties.authData).data));
    return next(client);
  };
  const scram = scramClient('pump-1', first.key);
  const properties = { authMethod: SCRAM_METHOD, authData: scram.first };
  const client = lab.connect('pump-1', { properties });
  const challenge = await next(client);
  assert.ok(challenge !== 'closed' && challenge.type === 'auth');
  client.write(auth(scram.final(challenge.properties.authData).data));
  assert.equal(await reasonOf(client), 0);
  const second = await lab.createKey('pump-1');
  const again = (data: Uint8Array): void => client.write(auth(data, REASON.reauthenticate));
  const answer = await run(client, second.key, again);
  assert.ok(answer !== 'closed' && answer.type === 'auth');
  assert.equal(answer.reasonCode, REASON.success);
  lab.apiKeys.remove('pump-1', first.id);
  assert.ok(!client.isClosed());
  const refused = await run(client, first.key, again);
  assert.ok(refused !== 'closed' && refused.type === 'disconnect');
  assert.ok(client.isClosed());
});

test('a verifier is derived as RFC 5802 §3 says, whichever way it is checked', async () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const { storedKey, serverKey } = await deriveVerifier('pencil', { salt, iterations: 4_096 });
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  // From the salted password of RFC 7677 §3, computed by Python's hashlib and hmac.
  assert.equal(text(storedKey), 'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=');
  assert.equal(text(serverKey), 'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=');
});

test('one device cannot fill the list of keys that wait to be checked', async (t) => {
  const lab = open(t);
  const { key } = await lab.createKey('pump-1');
  const other = await lab.createKey('pump-2');
  const ask = (principal: string, shown: string) => lab.check.checkKey({ principal }, shown);
  const many = Array.from({ length: API_KEY_CHECKS_PER_DEVICE + 1 }, () => ask('pump-1', key));
  const others = ask('pump-2', other.key);
  const answers = await Promise.all(many);
  const refused = answers.filter((answer) => answer instanceof Refusal);
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['E_SESSION_LIMIT'],
  );
  assert.ok(!((await others) instanceof Refusal));
  assert.ok(!((await ask('pump-1', key)) instanceof Refusal), 'there is room again');
});
