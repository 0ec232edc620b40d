import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { test } from 'node:test';
import { systemRandom } from '../kernel/index.ts';
import { HASHINGS_MAX, PasswordHasher } from './password-hasher.ts';
import { codeOf, present } from './people-lab.testing.ts';

test('a hash is that of argon2id with the parameters that stand beside it [RFC 9106]', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const { hash, salt, ...parameters } = present(await hasher.hash('correct horse'));
  const { memoryKiB, passes, parallelism } = parameters;
  const expected = argon2Sync('argon2id', {
    message: Buffer.from('correct horse'),
    nonce: Buffer.from(salt, 'hex'),
    memory: memoryKiB,
    passes,
    parallelism,
    tagLength: 32,
  });
  assert.equal(hash, expected.toString('hex'));
});

test('the same password has another hash each time', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const [one, other] = [present(await hasher.hash('a')), present(await hasher.hash('a'))];
  assert.notEqual(one.salt, other.salt);
  assert.notEqual(one.hash, other.hash);
});

test('a password is right however its letters were composed', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const expected = present(await hasher.hash('caf\u00e9 au lait'));
  assert.equal(await hasher.check('cafe\u0301 au lait', expected), true);
  assert.equal(await hasher.check('cafe au lait', expected), false);
});

test('an unknown name is never right', async () => {
  const hasher = new PasswordHasher(() => new Uint8Array(32));
  assert.equal(await hasher.check('', undefined), false);
});

test('old parameters are used as long as a hash has them', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const old = { algorithm: 'argon2id', memoryKiB: 64, passes: 1, parallelism: 1 } as const;
  const salt = Buffer.alloc(16, 7);
  const cost = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 };
  const hash = argon2Sync('argon2id', { message: 'old', nonce: salt, ...cost }).toString('hex');
  const expected = { ...old, salt: salt.toString('hex'), hash };
  assert.equal(await hasher.check('old', expected), true);
  assert.equal(await hasher.check('new', expected), false);
});

test('as many hashings as the limit may wait; one more is refused until one is done', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const running = Array.from({ length: HASHINGS_MAX }, () => hasher.check('a', undefined));
  assert.equal(codeOf(await hasher.check('a', undefined)), 'E_OPERATE_RATE');
  assert.equal(codeOf(await hasher.hash('a')), 'E_OPERATE_RATE');
  assert.equal(await running[0], false);
  const next = hasher.check('a', undefined);
  assert.deepEqual(new Set(await Promise.all(running)), new Set([false]));
  assert.equal(await next, false);
});

test('a hashing that fails does not stop the next one', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const broken = { ...present(await hasher.hash('a')), memoryKiB: -1 };
  await assert.rejects(async () => hasher.check('a', broken));
  assert.equal(await hasher.check('a', undefined), false);
});
