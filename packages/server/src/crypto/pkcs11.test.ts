import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { test } from 'node:test';
import { softToken, whyNoTokens } from '@holdfast/testkit';
import fc from 'fast-check';
import { Fault, Secret, systemRandom } from '../kernel/index.ts';
import { derSignature } from './der-signature.ts';
import * as ck from './pkcs11-constants.ts';
import {
  destroyTokenKek,
  hasTokenKek,
  makeTokenKek,
  newTokenKeyId,
  tokenCustody,
  tokenWrapper,
} from './pkcs11-custody.ts';
import { loadPkcs11Driver } from './pkcs11-driver.ts';
import { Token } from './pkcs11-token.ts';

const skip = whyNoTokens() ?? false;
const random = systemRandom;

function code(wanted: string) {
  return (error: unknown): boolean => error instanceof Fault && error.code === wanted;
}

test(
  'issuing keys and the key-encryption key are in the token, and stay there',
  { skip },
  async (t) => {
    const place = softToken(t);
    const token = Token.open(await loadPkcs11Driver(), place, new Secret(place.pin));
    t.after(() => token.close());

    await t.test('a key signs what its public key verifies', () => {
      const custody = tokenCustody(token, { random });
      const { saved, key } = custody.make('devices 1');
      assert.equal(saved.kind, 'pkcs11');
      assert.ok(!JSON.stringify(saved).includes('pkcs8'));
      const again = custody.open(saved);
      for (let n = 0; n < 40; n += 1) {
        const data = Buffer.from(random(n));
        assert.ok(verify('sha256', data, key.publicKey, again.sign(data)));
        assert.ok(
          !verify(
            'sha256',
            Buffer.concat([data, data, Buffer.of(1)]),
            key.publicKey,
            again.sign(data),
          ),
        );
      }
    });

    await t.test('a destroyed key is gone [E_CRYPTO_TOKEN_KEY]', () => {
      const custody = tokenCustody(token, { random });
      const [first, second] = [custody.make('a'), custody.make('b')];
      custody.destroy(first.saved);
      assert.throws(() => custody.open(first.saved), code('E_CRYPTO_TOKEN_KEY'));
      assert.ok(custody.open(second.saved));
    });

    await t.test('no key of ours can be read or taken out', () => {
      tokenCustody(token, { random }).make('c');
      makeTokenKek(token, newTokenKeyId(random));
      for (const type of [ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY]) {
        const objects = token.find([{ type: ck.CKA_CLASS, value: type }]);
        assert.ok(objects.length > 0);
        for (const object of objects) {
          assert.equal(token.attribute(object, ck.CKA_EXTRACTABLE)[0], 0);
          assert.throws(() => token.attribute(object, CKA_VALUE), /CKR_ATTRIBUTE_SENSITIVE/u);
        }
      }
    });

    await t.test('a token that does not say so of a key is not believed', () => {
      const ask = token.attribute.bind(token);
      t.after(() => (token.attribute = ask));
      const count = (): number =>
        token.find([{ type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY }]).length;
      const before = count();
      for (const [type, answer] of [
        [ck.CKA_EXTRACTABLE, []],
        [ck.CKA_EXTRACTABLE, [1]],
        [ck.CKA_SENSITIVE, []],
        [ck.CKA_SENSITIVE, [0]],
      ] as const) {
        token.attribute = (key, of) => (of === type ? Buffer.from(answer) : ask(key, of));
        assert.throws(() => makeTokenKek(token, newTokenKeyId(random)), code('E_CRYPTO_TOKEN_KEY'));
        assert.throws(() => tokenCustody(token, { random }).make('x'), code('E_CRYPTO_TOKEN_KEY'));
      }
      token.attribute = ask;
      assert.equal(count(), before, 'what it made is destroyed');
    });

    await t.test('what the key-encryption key wraps opens in its context only', () => {
      const [id, otherId] = [newTokenKeyId(random), newTokenKeyId(random)];
      makeTokenKek(token, id);
      makeTokenKek(token, otherId);
      const wrapper = tokenWrapper(token, { id, random });
      const other = tokenWrapper(token, { id: otherId, random });
      const [key, aad] = [Buffer.from(random(32)), Buffer.from('place')];
      const wrapped = wrapper.wrap(key, aad);
      assert.equal(wrapped.length, 12 + 32 + 16);
      assert.deepEqual(Buffer.from(wrapper.unwrap(wrapped, aad)), key);
      assert.notDeepEqual(wrapper.wrap(key, aad), wrapped);
      const fails = (act: () => unknown): void => assert.throws(act, code('E_CRYPTO_OPEN'));
      fails(() => wrapper.unwrap(wrapped, Buffer.from('Place')));
      fails(() => other.unwrap(wrapped, aad));
      assert.ok(hasTokenKek(token, otherId));
      destroyTokenKek(token, otherId);
      assert.ok(!hasTokenKek(token, otherId) && hasTokenKek(token, id));
      destroyTokenKek(token, otherId);
      fails(() => wrapper.unwrap(wrapped.subarray(0, 59), aad));
      fails(() => wrapper.unwrap(wrapped.subarray(0, 11), aad));
      for (const at of [0, 12, 59]) {
        const changed = Buffer.from(wrapped);
        changed[at] = (changed[at] ?? 0) ^ 1;
        fails(() => wrapper.unwrap(changed, aad));
      }
    });
  },
);

test('a wrong PIN, a missing token and a missing module are told apart', { skip }, async (t) => {
  const place = softToken(t);
  const driver = await loadPkcs11Driver();
  const open = (changes: Partial<typeof place>) => (): Token =>
    Token.open(driver, { ...place, ...changes }, new Secret(changes.pin ?? place.pin));
  assert.throws(open({ pin: '0000' }), code('E_CRYPTO_TOKEN_PIN'));
  assert.throws(open({ label: 'another' }), code('E_CRYPTO_TOKEN_MISSING'));
  assert.throws(open({ module: '/nowhere/lib.so' }), code('E_CRYPTO_TOKEN_MODULE'));
  open({})().close();
  open({})().close();
});

test('a driver that is not installed says how to install it [E_CRYPTO_TOKEN_DRIVER]', async () => {
  await assert.rejects(loadPkcs11Driver('pkcs11js-is-not-here'), (error: unknown) => {
    assert.ok(error instanceof Fault && error.code === 'E_CRYPTO_TOKEN_DRIVER');
    return error.fix.includes('npm install pkcs11js');
  });
  await assert.rejects(loadPkcs11Driver('node:path'), code('E_CRYPTO_TOKEN_DRIVER'));
});

test('signatures of tokens are turned into minimal DER', () => {
  const number = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(number, number, (r, s) => {
      const der = Buffer.from(derSignature(Buffer.concat([r, s])));
      assert.equal(der[0], 0x30);
      assert.equal(der[1], der.length - 2);
      const first = der.subarray(4, 4 + (der[3] ?? 0));
      const second = der.subarray(6 + first.length);
      for (const [bytes, value] of [
        [first, r],
        [second, s],
      ] as const) {
        assert.ok((bytes[0] ?? 0) < 0x80, 'not negative');
        assert.ok(bytes.length === 1 || bytes[0] !== 0 || (bytes[1] ?? 0) >= 0x80, 'minimal');
        assert.equal(
          BigInt(`0x${bytes.toString('hex')}`),
          BigInt(`0x${Buffer.from(value).toString('hex')}`),
        );
      }
    }),
  );
});

const CKA_VALUE = 0x11;
