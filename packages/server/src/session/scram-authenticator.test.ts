import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import * as fc from 'fast-check';
import {
  type DeviceVerifiers,
  type ScramVerifier,
  deriveVerifier,
  hmacSha256,
} from '../registry/index.ts';
import type { AuthenticationStep } from './authentication.ts';
import { openLab } from './lab.testing.ts';
import { SCRAM_MESSAGE_BYTES_MAX } from './limits.ts';
import { ScramAuthenticator } from './scram-authenticator.ts';
import { parseClientFinal, parseClientFirst } from './scram-messages.ts';

/** The example of RFC 7677 §3. */
const RFC = {
  user: 'user',
  password: 'pencil',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  iterations: 4_096,
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst:
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
    'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
} as const;

const ascii = (text: string): Buffer => Buffer.from(text, 'ascii');

/** An exchange with the device `user`, whose keys are these. */
async function begin(
  t: Parameters<typeof openLab>[0],
  passwords: readonly string[] = [RFC.password],
) {
  const lab = openLab(t);
  const peer = lab.admit(lab.enroll(RFC.user).certificate);
  const { salt, iterations } = RFC;
  const derived = passwords.map((one) => deriveVerifier(one, { salt, iterations }));
  const known = (await Promise.all(derived)).map(({ storedKey, serverKey }: ScramVerifier, i) => ({
    keyId: `key-${i}`,
    storedKey,
    serverKey,
  }));
  const verifiers: DeviceVerifiers = { salt, iterations, known };
  const used: string[] = [];
  const authenticator = new ScramAuthenticator({
    apiKeys: {
      verifiersOf: () => verifiers,
      markUsed: (_deviceId, keyId) => void used.push(keyId),
    },
    nonce: () => RFC.serverNonce,
  });
  return { exchange: authenticator.begin(peer), used };
}

function textOf(step: AuthenticationStep): string {
  if (step instanceof Refusal) return step.code;
  return `${step.type} ${Buffer.from(step.data ?? []).toString('ascii')}`;
}

test('goes as the example of RFC 7677 §3', async (t) => {
  const { exchange, used } = await begin(t);
  assert.equal(textOf(await exchange.step(ascii(RFC.clientFirst))), `continue ${RFC.serverFirst}`);
  const last = await exchange.step(ascii(RFC.clientFinal));
  assert.equal(textOf(last), `done ${RFC.serverFinal}`);
  assert.ok(!(last instanceof Refusal) && last.type === 'done');
  assert.deepEqual(last.shown, { keyId: 'key-0' });
  assert.deepEqual(used, ['key-0']);
  // It says nothing more, whatever it is asked.
  assert.equal(textOf(await exchange.step(ascii(RFC.clientFinal))), 'E_SESSION_API_KEY');
});

test('takes either of two keys, and proves the one that was proven', async (t) => {
  const { exchange } = await begin(t, ['another', RFC.password]);
  await exchange.step(ascii(RFC.clientFirst));
  const last = await exchange.step(ascii(RFC.clientFinal));
  assert.equal(textOf(last), `done ${RFC.serverFinal}`);
  assert.ok(!(last instanceof Refusal) && last.type === 'done');
  assert.deepEqual(last.shown, { keyId: 'key-1' });
});

test('refuses another key, and tells nothing of it', async (t) => {
  const { exchange, used } = await begin(t, ['another', 'and another']);
  await exchange.step(ascii(RFC.clientFirst));
  assert.equal(textOf(await exchange.step(ascii(RFC.clientFinal))), 'E_SESSION_API_KEY');
  assert.deepEqual(used, []);
});

test('refuses a first message in the name of another, with a binding, or with an extension', async (t) => {
  const { exchange } = await begin(t);
  for (const text of [
    '',
    'n,,n=other,r=rOprNGfwEbeRWgbNEkqO',
    'n,a=other,n=user,r=rOprNGfwEbeRWgbNEkqO',
    'p=tls-exporter,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    'n,,m=1,n=user,r=rOprNGfwEbeRWgbNEkqO',
    'n,,n=user,r=short',
    `n,,n=user,r=${'x'.repeat(129)}`,
    'n,,n=user,r=with,comma',
    'n,,n=us=65r,r=rOprNGfwEbeRWgbNEkqO',
    'n,,n=user,r=rOprNGfwEbeRWgbNEkqO\n',
  ]) {
    assert.equal(textOf(await exchange.step(ascii(text))), 'E_SESSION_API_KEY', text);
  }
  assert.equal(textOf(await exchange.step(undefined)), 'E_SESSION_API_KEY');
});

test('refuses a last message of another exchange, another header, or another proof', async (t) => {
  const good = RFC.clientFinal;
  for (const text of [
    good.replace('c=biws', 'c=eSws'),
    good.replace('NEkqO%', 'NEkqX%'),
    good.replace('$k0', '$k1'),
    good.replace('p=d', 'p=e'),
    `${good},x=1`,
    good.replace(',p=', ',m=1,p='),
    good.replace(/,p=.*/u, ''),
    RFC.clientFirst,
    '',
  ]) {
    const { exchange } = await begin(t);
    await exchange.step(ascii(RFC.clientFirst));
    assert.equal(textOf(await exchange.step(ascii(text))), 'E_SESSION_API_KEY', text);
  }
});

test('a proof that is only the stored key, stolen from the server, is none', async (t) => {
  const { exchange } = await begin(t);
  await exchange.step(ascii(RFC.clientFirst));
  const { salt, iterations } = RFC;
  const { storedKey } = await deriveVerifier(RFC.password, { salt, iterations });
  const [withoutProof = ''] = RFC.clientFinal.split(',p=');
  const authMessage = `n=user,r=rOprNGfwEbeRWgbNEkqO,${RFC.serverFirst},${withoutProof}`;
  const signature = hmacSha256(storedKey, authMessage);
  const proof = signature.map((byte, i) => byte ^ (storedKey[i] ?? 0));
  const forged = `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  assert.equal(textOf(await exchange.step(ascii(forged))), 'E_SESSION_API_KEY');
});

test('takes messages up to their bound, and none above it', () => {
  const first = (extra: number): Buffer =>
    ascii(`n,,n=user,r=rOprNGfwEbeRWgbNEkqO,${'x'.repeat(extra)}`);
  const fixed = first(0).length;
  assert.ok(parseClientFirst(first(SCRAM_MESSAGE_BYTES_MAX - fixed)) !== undefined);
  assert.equal(parseClientFirst(first(SCRAM_MESSAGE_BYTES_MAX - fixed + 1)), undefined);
});

test('reads any bytes without throwing, and what it reads is what was written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      parseClientFirst(bytes);
      parseClientFinal(bytes);
    }),
  );
  const nonce = fc.stringMatching(/^[!-+\--~]{8,128}$/);
  fc.assert(
    fc.property(nonce, fc.uint8Array({ minLength: 32, maxLength: 32 }), (r, p) => {
      const proof = Buffer.from(p).toString('base64');
      const first = parseClientFirst(ascii(`y,,n=user,r=${r}`));
      assert.deepEqual(first, {
        gs2Header: 'y,,',
        bare: `n=user,r=${r}`,
        userName: 'user',
        nonce: r,
      });
      const final = parseClientFinal(ascii(`c=eSws,r=${r},p=${proof}`));
      assert.deepEqual(final, {
        withoutProof: `c=eSws,r=${r}`,
        binding: 'eSws',
        nonce: r,
        proof: Buffer.from(p),
      });
    }),
  );
});
