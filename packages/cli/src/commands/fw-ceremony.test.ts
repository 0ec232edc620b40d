import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTokenSigner, openTokenSigner } from '@holdfast/device';
import { type Release, memorySigner, newRequest, peopleOf } from '@holdfast/firmware';
import { type FirmwareDocument, SigningRequestSchema } from '@holdfast/protocol/api';
import type * as Server from '@holdfast/server';
import { makeSignerKey, openSignerKey } from '@holdfast/server';
import { softToken, whyNoTokens } from '@holdfast/testkit';
import { FakeWorld } from '../fake-world.ts';
import { FakeRepository } from '../firmware/fake-repository.testing.ts';

const NOW = Date.parse('2026-11-21T04:00:00Z');
const PASSPHRASE = 'correct horse battery';

/** Without the seconds that argon2id takes on purpose. */
const quickKeys: Pick<typeof Server, 'makeSignerKey' | 'openSignerKey'> = {
  makeSignerKey: async ({ name }) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const box = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
    const pem = publicKey.export({ format: 'pem', type: 'spki' });
    return { type: 'holdfast-signer-key/1', name, publicKey: pem, sealed: { kdf: {}, box } };
  },
  openSignerKey: async ({ sealed }) => {
    const key = Buffer.from(sealed?.box ?? '', 'base64');
    return memorySigner(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
  },
};

/** People, each at a machine of their own, and a server. */
class Lab {
  readonly repository = new FakeRepository(() => NOW);
  readonly #folder = new FakeWorld().home;
  readonly #secret: string;
  readonly #isReal: boolean;

  constructor({ isReal = false } = {}) {
    this.#isReal = isReal;
    this.#secret = this.path('passphrase');
    writeFileSync(this.#secret, `${PASSPHRASE}\n`, { mode: 0o600 });
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  get secret(): string[] {
    return ['--passphrase-file', this.#secret];
  }

  world(answers?: string[]): FakeWorld {
    return new FakeWorld({
      client: this.repository.client(),
      server: this.#isReal ? { makeSignerKey, openSignerKey } : quickKeys,
      device: { makeTokenSigner, openTokenSigner },
      isTty: answers !== undefined,
      ...(answers && { answers }),
    });
  }

  /** Runs a command that must succeed. */
  async ok(...args: string[]): Promise<string> {
    const world = this.world();
    assert.equal(await world.run(...args), 0, world.errText);
    return world.outText + world.errText;
  }

  /** Runs one that must not. */
  async fails(...args: string[]): Promise<string> {
    const world = this.world();
    assert.notEqual(await world.run(...args), 0, world.outText);
    return world.errText;
  }

  async key(...names: string[]): Promise<void> {
    for (const name of names) {
      await this.ok('fw', 'key', 'make', this.path(`${name}.key`), ...this.secret);
    }
  }

  pub(name: string): string {
    return this.path(`${name}.pub.json`);
  }

  async init(): Promise<void> {
    await this.key('alice', 'bob', 'carol', 'rel1');
    const signers = ['alice', 'bob', 'carol'].flatMap((name) => ['--signer', this.pub(name)]);
    const line = `thermo=${this.pub('rel1')}:1`;
    await this.ok('fw', 'init', ...signers, '--line', line, '--out', this.path('init.json'));
    await this.signAll('init', ['alice', 'bob']);
  }

  sign(request: string, name: string, ...more: string[]): string[] {
    const key = this.path(`${name}.key`);
    const given = more.includes('--out') ? [] : ['--out', this.path(`${request}.${name}.sig.json`)];
    return [
      'fw',
      'sign',
      this.path(`${request}.json`),
      '--key',
      key,
      '--yes',
      ...given,
      ...this.secret,
      ...more,
    ];
  }

  async signAll(request: string, names: readonly string[]): Promise<string> {
    for (const name of names) await this.ok(...this.sign(request, name));
    const files = names.map((name) => this.path(`${request}.${name}.sig.json`));
    return this.ok('fw', 'submit', ...files);
  }
}

test('init, sign by two of three on machines of their own, submit', async () => {
  const lab = new Lab();
  await lab.key('alice', 'bob', 'carol', 'rel1');
  assert.equal(statSync(lab.path('alice.key')).mode & 0o777, 0o600);
  assert.ok(!readFileSync(lab.path('alice.key'), 'utf8').includes('PRIVATE'));
  const shown = await lab.ok('fw', 'key', 'show', lab.pub('alice'));
  assert.match(shown, /^alice {2}ed25519 {2}[0-9a-f]{64}\n$/u);
  const signers = ['alice', 'bob', 'carol'].flatMap((name) => ['--signer', lab.pub(name)]);
  const init = ['fw', 'init', ...signers, '--line', `thermo=${lab.pub('rel1')}:1`];
  const said = await lab.ok(...init, '--out', lab.path('request.json'));
  assert.match(said, /Nothing has changed yet/u);
  assert.match(said, /root: 2 of {2}· alice {2}· bob {2}· carol/u);

  const keyId = shown.trim().split(/\s+/u)[2] ?? '';
  const seen = await lab.ok(...lab.sign('request', 'alice'));
  assert.ok(seen.includes(`+ root: key of alice (ed25519) ${keyId}`), seen);
  assert.match(seen, /Your key has seen none of these repositories yet/u);
  const half = await lab.ok('fw', 'submit', lab.path('request.alice.sig.json'));
  assert.match(half, /✓ alice {2}· bob[^]*More must sign/u);
  assert.equal(lab.repository.documents.length, 0);
  assert.match(await lab.ok('fw', 'requests'), /✓ alice {2}· bob/u);
  const done = await lab.signAll('request', ['carol']);
  assert.match(done, /✓ alice {2}· bob {2}✓ carol[^]*Published/u);
  assert.equal(lab.repository.published.image?.signed.version, 1);
  // Bob comes late: nothing waits for him.
  await lab.ok(...lab.sign('request', 'bob'));
  assert.match(await lab.fails('fw', 'submit', lab.path('request.bob.sig.json')), /not open/u);
  assert.match(
    await lab.fails(...init, '--out', lab.path('again.json')),
    /There are keys already/u,
  );
});

test('who does not say sign signs nothing; a wrong passphrase opens nothing', async () => {
  const lab = new Lab({ isReal: true });
  await lab.init();
  await lab.ok('fw', 'renew', '--out', lab.path('renew.json'));
  const args = ['fw', 'sign', lab.path('renew.json'), '--key', lab.path('alice.key')];
  const world = lab.world(['yes']);
  assert.notEqual(await world.run(...args, ...lab.secret), 0);
  assert.match(world.errText, /Nothing was signed/u);
  const wrong = lab.path('wrong');
  writeFileSync(wrong, 'wrong horse battery\n', { mode: 0o600 });
  const refused = await lab.fails(...args, '--yes', '--passphrase-file', wrong);
  assert.match(refused, /E_CRYPTO_SIGNER_KEY/u);
  const typed = lab.world(['sign', PASSPHRASE]);
  assert.equal(await typed.run(...args), 0, typed.errText);
});

test('a file exchanged after it was shown does not change what is signed', async () => {
  const lab = new Lab();
  await lab.init();
  await lab.key('mallory');
  await lab.ok('fw', 'renew', '--out', lab.path('good.json'));
  const rotate = ['fw', 'key', 'rotate', 'carol', '--by', lab.pub('mallory')];
  await lab.ok(...rotate, '--out', lab.path('evil.json'));
  const world = lab.world([PASSPHRASE]);
  // While the signer reads what is shown, the file becomes another one.
  const ask = async () => {
    writeFileSync(lab.path('good.json'), readFileSync(lab.path('evil.json')));
    return 'sign';
  };
  Object.assign(world, { input: { ...world.input, ask } });
  const good = SigningRequestSchema.parse(JSON.parse(readFileSync(lab.path('good.json'), 'utf8')));
  const out = lab.path('alice.sig.json');
  const key = lab.path('alice.key');
  const args = ['fw', 'sign', lab.path('good.json'), '--key', key, '--out', out];
  assert.equal(await world.run(...args), 0, world.errText);
  assert.ok(!world.errText.includes('mallory'));
  assert.ok(readFileSync(out, 'utf8').includes(good.id));
  await lab.ok('fw', 'submit', out);
});

test('a request whose documents were exchanged, or whose past is another, is not signed', async () => {
  const lab = new Lab();
  await lab.init();
  await lab.key('mallory');
  await lab.ok('fw', 'renew', '--out', lab.path('good.json'));
  const rotate = ['fw', 'key', 'rotate', 'carol', '--by', lab.pub('mallory')];
  await lab.ok(...rotate, '--out', lab.path('evil.json'));
  const read = (name: string) =>
    SigningRequestSchema.parse(JSON.parse(readFileSync(lab.path(name), 'utf8')));
  const mixed = { ...read('evil.json'), id: read('good.json').id };
  writeFileSync(lab.path('mixed.json'), JSON.stringify(mixed));
  assert.match(await lab.fails(...lab.sign('mixed', 'alice')), /documents were exchanged/u);

  // A server that was taken over shows roots of its own, and calls nobody by another name.
  const other = new Lab();
  await other.init();
  await other.ok('fw', 'renew', '--out', other.path('renew.json'));
  writeFileSync(lab.path('foreign.json'), readFileSync(other.path('renew.json')));
  const refused = await lab.fails(...lab.sign('foreign', 'alice'));
  assert.match(refused, /another version 1 of the root than was seen/u);
  // And what it hides is missed.
  const first = read('good.json').documents;
  const hidden: FirmwareDocument[] = [];
  writeFileSync(lab.path('hidden.json'), JSON.stringify(newRequest(first, { published: hidden })));
  assert.match(await lab.fails(...lab.sign('hidden', 'alice')), /E_UPDATE_REQUEST/u);
});

test('keys of people, of product lines and of the server change, and the removed sign nothing', async () => {
  const lab = new Lab();
  await lab.init();
  await lab.key('dave', 'rel2');
  const rotate = ['fw', 'key', 'rotate', 'carol', '--by', lab.pub('dave')];
  await lab.ok(...rotate, '--out', lab.path('rotate.json'));
  const shown = await lab.ok(...lab.sign('rotate', 'alice'));
  assert.match(
    shown,
    /- root: key of carol[^]*2 of alice, bob, dave|2 of alice, bob, dave[^]*- root/u,
  );
  await lab.ok('fw', 'submit', lab.path('rotate.alice.sig.json'));
  await lab.signAll('rotate', ['bob']);
  const names = () => peopleOf(lab.repository.published)?.keys.map(({ name }) => name);
  assert.deepEqual(names(), ['alice', 'bob', 'dave']);

  await lab.ok('fw', 'renew', '--out', lab.path('renew.json'));
  assert.match(await lab.fails(...lab.sign('renew', 'carol')), /nothing for the key of carol/u);

  // Five more rotations, while somebody sleeps.
  for (let n = 0; n < 5; n += 1) {
    const out = lab.path(`online${n}.json`);
    await lab.ok('fw', 'key', 'rotate', '--online', '--out', out);
    await lab.signAll(`online${n}`, ['alice', 'dave']);
  }
  assert.equal(lab.repository.published.image?.signed.version, 7);
  // Bob's machine has seen version 1 alone, and follows from there.
  await lab.ok('fw', 'key', 'revoke', 'dave', '--out', lab.path('revoke.json'));
  await lab.signAll('revoke', ['bob', 'alice']);
  assert.deepEqual(names(), ['alice', 'bob']);
  assert.match(
    await lab.fails('fw', 'key', 'revoke', 'alice', '--out', lab.path('no.json')),
    /threshold/u,
  );

  const line = `pump=${lab.pub('rel1')},${lab.pub('rel2')}:2`;
  await lab.ok('fw', 'line', 'set', line, '--out', lab.path('line.json'));
  await lab.signAll('line', ['alice', 'bob']);
  await lab.ok('fw', 'line', 'end', 'thermo', '--out', lab.path('end.json'));
  await lab.signAll('end', ['alice', 'bob']);
  const roles = lab.repository.published.targets?.signed.delegations?.roles ?? {};
  assert.deepEqual(Object.keys(roles), ['line-pump']);
});

test('a key in a PKCS#11 token signs', { skip: whyNoTokens() ?? false }, async (t) => {
  const lab = new Lab();
  const place = softToken(t, 'signer token');
  const pin = lab.path('pin');
  writeFileSync(pin, `${place.pin}\n`, { mode: 0o600 });
  const token = ['--pkcs11-module', place.module, '--pkcs11-token', place.label];
  const secret = ['--pkcs11-pin-file', pin];
  await lab.ok('fw', 'key', 'make', lab.path('tess.key'), ...token, ...secret);
  assert.match(await lab.ok('fw', 'key', 'show', lab.pub('tess')), /ecdsa-p256/u);
  const init = ['fw', 'init', '--signer', lab.pub('tess'), '--threshold', '1'];
  await lab.ok(...init, '--out', lab.path('init.json'));
  await lab.ok(...lab.sign('init', 'tess', ...secret));
  assert.match(await lab.ok('fw', 'submit', lab.path('init.tess.sig.json')), /Published/u);
});

test('a key signs at once what was asked for, and nothing that the server makes of it', async () => {
  const lab = new Lab();
  await lab.init();
  const { repository } = lab;
  writeFileSync(lab.path('fw.bin'), 'the good image');
  let count = 0;
  const release = (version: string): string[] => {
    const facts = ['--release-version', version, '--hardware', 'thermo-a', '--counter', '3'];
    const out = ['--out', lab.path(`release-${(count += 1)}.json`)];
    const key = ['--key', lab.path('rel1.key'), '--yes', ...lab.secret];
    return ['fw', 'release', lab.path('fw.bin'), '--line', 'thermo', ...facts, ...key, ...out];
  };
  await lab.ok(...release('1.0.0'));
  const evil = (one: Release): Release => ({ ...one, sha256: 'ee'.repeat(32) });
  const others: [typeof repository.alter, RegExp][] = [
    [(all) => all.map((one, at) => (at === 1 ? evil(one) : one)), /another request than you/u],
    [([one, two]) => (one && two ? [one, { ...two, length: 1 }] : []), /another request than you/u],
    [(all) => all.slice(1), /also changes thermo@1\.0\.0/u],
    [
      (all) => [...all, ...all.slice(1).map((one) => renamed(evil(one), '6.6.6'))],
      /also changes thermo@6\.6\.6/u,
    ],
  ];
  for (const [alter, expected] of others) {
    repository.alter = alter;
    assert.match(await lab.fails(...release('1.1.0')), expected);
  }
  repository.alter = (all) => all;
  await lab.ok(...release('1.1.0'));
  const line = repository.published.lines.get('thermo') ?? assert.fail();
  assert.deepEqual(Object.keys(line.signed.targets), [
    'thermo/1.0.0/fw.bin',
    'thermo/1.1.0/fw.bin',
  ]);
});

function renamed(release: Release, version: string): Release {
  const custom = { ...release.custom, version };
  return { ...release, custom, id: `thermo@${version}`, path: `thermo/${version}/fw.bin` };
}

test('the request of a ceremony is the one that was asked for', async () => {
  const lab = new Lab();
  await lab.init();
  const before = lab.repository.documents;
  // A stolen server keeps the old targets out of it.
  lab.repository.exchange = (documents) => documents.slice(0, 2);
  const failed = await lab.fails('fw', 'renew', '--out', lab.path('renew.json'));
  assert.match(failed, /another request/u);
  assert.equal(lab.repository.documents, before);
});

test('what would be signed twice in other words is not signed unseen', async () => {
  const lab = new Lab();
  await lab.init();
  await lab.ok('fw', 'renew', '--out', lab.path('one.json'));
  await lab.ok('fw', 'renew', '--targets-days', '90', '--out', lab.path('two.json'));
  await lab.ok(...lab.sign('one', 'alice'));
  assert.match(await lab.fails(...lab.sign('two', 'alice')), /in other words/u);
  const world = lab.world(['sign']);
  const asked = lab.sign('two', 'alice').filter((word) => word !== '--yes');
  assert.equal(await world.run(...asked), 0, world.errText);
});
