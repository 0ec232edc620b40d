/** Goal: keys that nobody needs do not stay in a token, whatever happens in between. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type KeyCustody, type KeyHandle, softwareCustody } from '../crypto/index.ts';
import { systemRandom } from '../kernel/index.ts';
import { AuthorityKeeper } from './authority-keeper.ts';
import { type Lab, openLab, present } from './lab.testing.ts';

/** A custody as that of a token: its keys have ids, and outlive the server. */
class FakeToken implements KeyCustody {
  readonly keys = new Map<string, KeyHandle>();
  /** How many more keys it can make. */
  room = Number.POSITIVE_INFINITY;
  isBroken = false;

  make(label: string, onPlan: Parameters<KeyCustody['make']>[1] = () => {}) {
    const id = Buffer.from(systemRandom(16)).toString('hex');
    const saved = { kind: 'pkcs11', id } as const;
    onPlan(saved);
    // It may fail after the key is made.
    const { key } = softwareCustody.make(label);
    this.keys.set(id, key);
    if ((this.room -= 1) < 0) throw new Error('the token is full');
    return { saved, key };
  }

  open(saved: Parameters<KeyCustody['open']>[0]): KeyHandle {
    if (saved.kind === 'sealed') return softwareCustody.open(saved);
    return this.keys.get(saved.id) ?? assert.fail('the key is gone');
  }

  destroy(saved: Parameters<KeyCustody['destroy']>[0]): void {
    if (this.isBroken) throw new Error('the token was taken away');
    if (saved.kind === 'pkcs11') this.keys.delete(saved.id);
  }
}

function start(lab: Lab, custody: FakeToken): AuthorityKeeper {
  const names = ['server.example'];
  return new AuthorityKeeper(lab.store, {
    ...lab,
    random: systemRandom,
    names,
    custody,
    custodyName: 'token t',
  });
}

function open(t: TestContext) {
  const lab = openLab(t);
  const token = new FakeToken();
  // A key of somebody else, in the same token.
  token.keys.set('other', softwareCustody.make('other').key);
  return { lab, token, keeper: start(lab, token) };
}

const OTHERS_AND = (generations: number): number => 1 + 3 * generations;

test('keys of a prepare that was interrupted are destroyed at the next start', (t) => {
  const { lab, token, keeper } = open(t);
  assert.equal(token.keys.size, OTHERS_AND(1));
  token.room = 2;
  assert.throws(() => present(keeper.prepare()).commit(), /full/u);
  assert.equal(token.keys.size, OTHERS_AND(2), 'all that it could make');
  token.room = 100;
  const again = start(lab, token);
  assert.equal(token.keys.size, OTHERS_AND(1));
  assert.ok(token.keys.has('other'));
  present(again.request());
  assert.equal(token.keys.size, OTHERS_AND(2), 'what was asked of the root waits');
  start(lab, token);
  assert.equal(token.keys.size, OTHERS_AND(1), 'nobody can sign it after a start');
});

test('a token that cannot destroy the old keys is asked again', (t) => {
  const { lab, token, keeper } = open(t);
  let scrubs = 0;
  const scrub = lab.store.scrub.bind(lab.store);
  lab.store.scrub = () => {
    scrubs += 1;
    return scrub();
  };
  assert.equal(present(keeper.prepare()).commit(), undefined);
  assert.equal(present(keeper.switch()).commit(), undefined);
  token.isBroken = true;
  assert.equal(present(keeper.finish()).commit(), undefined);
  assert.equal(scrubs, 1);
  assert.equal(token.keys.size, OTHERS_AND(2));
  start(lab, token);
  assert.equal(token.keys.size, OTHERS_AND(2), 'a broken token stops no start');
  token.isBroken = false;
  const again = start(lab, token);
  assert.equal(token.keys.size, OTHERS_AND(1));
  assert.ok(again.authority.issuers.length > 0);
});

test('the server certificate is renewed at two thirds of its life, its key stays', (t) => {
  const { lab, keeper } = open(t);
  const heard: string[] = [];
  keeper.onChange(() => heard.push(keeper.certificate.pins.certificate));
  const { pins, certChainPem, keyPem } = keeper.certificate;
  const { validToDate, validFromDate } = new X509Certificate(certChainPem);
  const third = (validToDate.getTime() - validFromDate.getTime()) / 3;
  lab.clock.ms = validToDate.getTime() - third - 86_400_000;
  assert.equal(keeper.renewCertificate(), false);
  lab.clock.ms += 2 * 86_400_000;
  assert.equal(keeper.renewCertificate(), true);
  const next = keeper.certificate;
  assert.deepEqual(heard, [next.pins.certificate]);
  assert.notEqual(next.pins.certificate, pins.certificate);
  assert.deepEqual([next.pins.spki, next.pins.backupSpki], [pins.spki, pins.backupSpki]);
  assert.equal(next.keyPem.expose(), keyPem.expose());
  assert.equal(keeper.renewCertificate(), false, 'once');
});
