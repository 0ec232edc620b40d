/** SCRAM-SHA-256 against the example of the standard, and a server that cheats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { scramServer } from '../test-support/scram-server.ts';
import { ApiKey } from './api-key.ts';
import { SCRAM_ITERATIONS_MAX, SCRAM_MESSAGE_BYTES_MAX } from './limits.ts';
import { ScramClient } from './scram.ts';

const ascii = (text: string): Uint8Array => Buffer.from(text, 'ascii');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('ascii');
const KEY = `hfk_${'k'.repeat(43)}`;
const REFUSED = { code: 'E_DEVICE_API_KEY' };

/** The client of RFC 7677 §3. */
function exampleClient(): ScramClient {
  const nonce = 'rOprNGfwEbeRWgbNEkqO';
  return new ScramClient({ userName: 'user', apiKey: { expose: () => 'pencil' }, nonce });
}
const SERVER_NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const SERVER_FIRST = `r=${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;

test('the example of the standard, message by message [RFC 7677 §3]', async () => {
  const client = exampleClient();
  assert.equal(textOf(client.first), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  assert.equal(
    textOf(await client.final(ascii(SERVER_FIRST))),
    `c=biws,r=${SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  );
  assert.equal(client.isVerified, false);
  client.verify(ascii('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
  assert.equal(client.isVerified, true);
});

test('a server that does not know the key is refused, whatever it says [E_DEVICE_API_KEY]', async () => {
  const wrong = [
    undefined,
    '',
    'v=',
    'e=other-error',
    `v=${Buffer.alloc(32).toString('base64')}`,
    'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    'x=1,v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  ];
  for (const text of wrong) {
    const client = exampleClient();
    await client.final(ascii(SERVER_FIRST));
    assert.throws(() => client.verify(text === undefined ? undefined : ascii(text)), REFUSED);
    assert.equal(client.isVerified, false);
  }
  // Before there was a challenge, nothing can be its proof.
  assert.throws(() => exampleClient().verify(ascii(`v=${'A'.repeat(43)}=`)), REFUSED);
});

test('a challenge that is none is refused [E_DEVICE_API_KEY]', async () => {
  const salt = 's=W22ZaJ0SNY7soEsUEjb6gQ==';
  const wrong = [
    '',
    'm=ext,' + SERVER_FIRST,
    // The nonce of the client alone, and one that is not the client's.
    `r=rOprNGfwEbeRWgbNEkqO,${salt},i=4096`,
    `r=xOprNGfwEbeRWgbNEkqO%hvY,${salt},i=4096`,
    `r=${SERVER_NONCE},i=4096`,
    `r=${SERVER_NONCE},s=,i=4096`,
    `r=${SERVER_NONCE},s=%%,i=4096`,
    `r=${SERVER_NONCE},${salt}`,
    `r=${SERVER_NONCE},${salt},i=-4096`,
    `r=${SERVER_NONCE},${salt},i=4096e9`,
    `r=${SERVER_NONCE},${salt},i=4096,x=${'x'.repeat(SCRAM_MESSAGE_BYTES_MAX)}`,
    `${SERVER_FIRST}\n`,
  ];
  for (const text of wrong) await assert.rejects(exampleClient().final(ascii(text)), REFUSED, text);
  await assert.rejects(exampleClient().final(undefined), REFUSED);
});

test('iterations: too few would show the key to a listener, too many would keep the device busy', async () => {
  const challenge = (count: number) => ascii(SERVER_FIRST.replace('i=4096', `i=${count}`));
  await assert.rejects(exampleClient().final(challenge(4_095)), REFUSED);
  await exampleClient().final(challenge(4_096));
  await exampleClient().final(challenge(SCRAM_ITERATIONS_MAX));
  await assert.rejects(exampleClient().final(challenge(SCRAM_ITERATIONS_MAX + 1)), REFUSED);
});

test('any text of a server is either a challenge or refused, never a fault', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await assert.rejects(exampleClient().final(bytes), REFUSED);
      assert.throws(() => exampleClient().verify(bytes), REFUSED);
    }),
    { numRuns: 50 },
  );
});

test('a server that has the stored form alone is convinced, and convinces', async () => {
  const apiKey = ApiKey.parse(`${KEY}\n`);
  assert.ok(apiKey !== undefined);
  const client = new ScramClient({ userName: 'thermostat-1', apiKey });
  const other = new ScramClient({ userName: 'thermostat-1', apiKey });
  assert.notDeepEqual(client.first, other.first);
  const server = scramServer(KEY);
  const challenge = server.challenge(textOf(client.first));
  const proof = server.prove(textOf(await client.final(ascii(challenge))));
  assert.ok(proof !== undefined);
  client.verify(ascii(proof));
  const stranger = scramServer(KEY.replace('k', 'x'));
  const refused = stranger.challenge(textOf(other.first));
  assert.equal(stranger.prove(textOf(await other.final(ascii(refused)))), undefined);
});

test('an API key has one form, and does not print', () => {
  assert.equal(ApiKey.parse(KEY)?.expose(), KEY);
  for (const text of [
    '',
    'hfk_',
    KEY.slice(1),
    `${KEY}k`,
    KEY.slice(0, -1),
    KEY.replace('k', '='),
  ]) {
    assert.equal(ApiKey.parse(text), undefined, text);
  }
  const key = ApiKey.parse(KEY);
  assert.ok(!`${inspect(key, { showHidden: true })}${JSON.stringify(key)}`.includes(KEY));
});
