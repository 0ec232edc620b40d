/** Goal: what is no proof is refused by name. Method: a TPM in software that really quotes. */
import assert from 'node:assert/strict';
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type SoftTpm, softTpm, whyNoTpms } from '@holdfast/testkit';
import fc from 'fast-check';
import { readAttestationKey } from './attestation-key.ts';
import { eventLogOf } from './event-log.testing.ts';
import { readEventLog, replay } from './event-log.ts';
import { judgeBoot } from './judge-boot.ts';
import { makeCredential } from './make-credential.ts';
import { readQuote } from './quote.ts';

const skip = whyNoTpms() ?? false;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const EVENTS = [
  { pcr: 8, digest: sha256('kernel 2.1.0') },
  { pcr: 9, digest: sha256('command line') },
  { pcr: 8, digest: sha256('initrd 2.1.0') },
];
const EXPECTED = [
  { pcr: 8, events: [sha256('kernel 2.1.0'), sha256('initrd 2.1.0')] },
  { pcr: 9, events: [sha256('command line')] },
];
const KINDS = [
  { name: 'P-256', ek: 'ecc', ak: 'ecc', scheme: 'ecdsa' },
  { name: 'RSA', ek: 'rsa', ak: 'rsa', scheme: 'rsassa' },
] as const;

/** A TPM with its two keys, into which a boot was measured. */
async function booted(t: TestContext, kind: (typeof KINDS)[number] = KINDS[0]) {
  const tpm = await softTpm(t);
  await tpm.tool('tpm2_createek', '-c', 'ek', '-G', kind.ek, '-u', 'ek.pem', '-f', 'pem');
  const algorithms = ['-G', kind.ak, '-g', 'sha256', '-s', kind.scheme];
  await tpm.tool('tpm2_createak', '-C', 'ek', '-c', 'ak', ...algorithms, '-u', 'ak.pub');
  for (const { pcr, digest } of EVENTS) await tpm.tool('tpm2_pcrextend', `${pcr}:sha256=${digest}`);
  const read = (name: string): Buffer => readFileSync(join(tpm.folder, name));
  const key = readAttestationKey(read('ak.pub'));
  if (typeof key === 'string') assert.fail(key);
  const quote = async (nonce: Uint8Array, pcrs = 'sha256:7,8,9') => {
    const qualifier = Buffer.from(nonce).toString('hex');
    const out = ['-m', 'quote', '-s', 'signature', '-o', 'pcrs'];
    await tpm.tool('tpm2_quote', '-c', 'ak', '-l', pcrs, '-q', qualifier, '-g', 'sha256', ...out);
    return { quote: read('quote'), signature: read('signature') };
  };
  return { tpm, key, quote, ek: createPublicKey(read('ek.pem')) };
}

for (const kind of KINDS) {
  test(`a boot is proven by a quote of its PCRs: ${kind.name}`, { skip }, async (t) => {
    const { key, quote } = await booted(t, kind);
    const nonce = randomBytes(32);
    const evidence = { ...(await quote(nonce)), eventLog: eventLogOf(EVENTS) };
    const judgement = { key, nonce, expected: EXPECTED };
    assert.equal(judgeBoot(evidence, judgement).reason, 'proven');
    const reasonOf = (more: object, other: object = {}): string =>
      judgeBoot({ ...evidence, ...more }, { ...judgement, ...other }).reason;

    assert.equal(reasonOf({}, { nonce: randomBytes(32) }), 'nonce', 'stale, or replayed');
    assert.equal(reasonOf({}, { nonce: nonce.subarray(1) }), 'nonce');
    for (const part of ['quote', 'signature'] as const) {
      const bytes = evidence[part];
      for (let bit = 0; bit < bytes.length * 8; bit += 13) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.equal(reasonOf({ [part]: changed }), 'signature', `${part}, bit ${bit}`);
      }
    }
    const logs = {
      'an event less': EVENTS.slice(1),
      'another order': EVENTS.toReversed(),
      'an event more': [...EVENTS, { pcr: 8, digest: sha256('more') }],
    };
    for (const [what, events] of Object.entries(logs)) {
      assert.equal(reasonOf({ eventLog: eventLogOf(events) }), 'log', what);
    }
    assert.equal(reasonOf({ eventLog: Buffer.alloc(0) }), 'log');
    assert.equal(reasonOf({ ...(await quote(nonce, 'sha256:8')) }), 'quote', 'a PCR is left out');
    assert.equal(reasonOf({ ...(await quote(nonce, 'sha1:8,9')) }), 'quote', 'another bank');
    const both = await quote(nonce, 'sha1:8,9+sha256:8,9');
    assert.equal(reasonOf(both), 'quote', 'two banks');
  });
}

test('what another image measures is named', { skip }, async (t) => {
  const { tpm, key, quote } = await booted(t);
  const nonce = randomBytes(32);
  const more = { pcr: 9, digest: sha256('init=/bin/sh') };
  await tpm.tool('tpm2_pcrextend', `9:sha256=${more.digest}`);
  const evidence = { ...(await quote(nonce)), eventLog: eventLogOf([...EVENTS, more]) };
  const judge = (expected: typeof EXPECTED) => judgeBoot(evidence, { key, nonce, expected });
  assert.deepEqual(judge(EXPECTED), {
    reason: 'measurement',
    detail: `PCR 9, event 2: ${more.digest}, not expected`,
  });
  const other = [{ pcr: 8, events: [sha256('kernel 2.2.0'), sha256('initrd 2.1.0')] }];
  assert.match(JSON.stringify(judge(other)), /PCR 8, event 1: .*, not /u);
  const longer = [{ pcr: 8, events: [...(EXPECTED[0]?.events ?? []), sha256('more')] }];
  assert.match(JSON.stringify(judge(longer)), /PCR 8, event 3: nothing, not /u);
  assert.equal(judge([{ pcr: 8, events: EXPECTED[0]?.events ?? [] }]).reason, 'proven');
  const unmeasured = [{ pcr: 7, events: [sha256('x')] }];
  assert.equal(judge(unmeasured).reason, 'measurement');
});

test('a quote of another TPM, or by another key, proves nothing', { skip }, async (t) => {
  const [ours, theirs] = [await booted(t), await booted(t)];
  const nonce = randomBytes(32);
  const evidence = { ...(await theirs.quote(nonce)), eventLog: eventLogOf(EVENTS) };
  const judged = judgeBoot(evidence, { key: ours.key, nonce, expected: EXPECTED });
  assert.equal(judged.reason, 'signature');
});

test(
  'a key that signs what its TPM has not measured is no attestation key',
  { skip },
  async (t) => {
    const { tpm } = await booted(t);
    await tpm.tool('tpm2_createprimary', '-c', 'parent');
    const inside = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth';
    const others = [
      ['ecc256:ecdsa', `${inside}|sign`],
      ['ecc256:aes128cfb', `${inside}|restricted|decrypt`],
    ] as const;
    for (const [algorithm, attributes] of others) {
      const made = ['-u', 'other.pub', '-r', 'other.key'];
      await tpm.tool('tpm2_create', '-C', 'parent', '-G', algorithm, '-a', attributes, ...made);
      const key = readAttestationKey(readFileSync(join(tpm.folder, 'other.pub')));
      assert.equal(typeof key, 'string', attributes);
    }
    const bytes = readFileSync(join(tpm.folder, 'ak.pub'));
    assert.equal(typeof readAttestationKey(bytes), 'object');
    assert.equal(typeof readAttestationKey(bytes.subarray(2)), 'object', 'without its length');
    for (let at = 0; at < bytes.length; at += 1) {
      assert.equal(typeof readAttestationKey(bytes.subarray(0, at)), 'string', `cut at ${at}`);
    }
    // Each attribute on its own: fixedTPM, fixedParent, sensitiveDataOrigin, restricted, sign.
    for (const bit of [1, 4, 5, 16, 18]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt32BE((changed.readUInt32BE(6) & ~(1 << bit)) >>> 0, 6);
      assert.equal(typeof readAttestationKey(changed), 'string', `attribute ${bit}`);
    }
    for (const bit of [11, 17]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt32BE((changed.readUInt32BE(6) | (1 << bit)) >>> 0, 6);
      assert.equal(typeof readAttestationKey(changed), 'string', `attribute ${bit}`);
    }
  },
);

/** What the TPM gives out for a credential; undefined when it refuses. */
async function activate(tpm: SoftTpm, credential: ReturnType<typeof makeCredential>) {
  if (credential === undefined) assert.fail('no credential');
  const sized = (bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
  const { idObject, encryptedSecret } = credential;
  const head = Buffer.from('badcc0de00000001', 'hex');
  const blob = Buffer.concat([head, sized(idObject), sized(encryptedSecret)]);
  writeFileSync(join(tpm.folder, 'credential'), blob);
  await tpm.tool('tpm2_startauthsession', '--policy-session', '-S', 'session');
  await tpm.tool('tpm2_policysecret', '-S', 'session', '-c', 'e');
  const keys = ['-c', 'ak', '-C', 'ek', '-i', 'credential', '-o', 'secret'];
  try {
    await tpm.tool('tpm2_activatecredential', ...keys, '-P', 'session:session');
    return readFileSync(join(tpm.folder, 'secret'));
  } catch {
    return undefined;
  } finally {
    await tpm.tool('tpm2_flushcontext', 'session');
  }
}

for (const kind of KINDS) {
  test(`only the TPM with both keys gives out a secret: ${kind.name}`, { skip }, async (t) => {
    const [ours, theirs] = [await booted(t, kind), await booted(t, kind)];
    const secret = randomBytes(32);
    const random = randomBytes;
    const { name } = ours.key;
    const credential = makeCredential(ours.ek, { secret, name, random });
    const given = (await activate(ours.tpm, credential)) ?? assert.fail('not given out');
    assert.ok(timingSafeEqual(given, secret));
    assert.equal(await activate(theirs.tpm, credential), undefined, 'another TPM');
    const forOther = makeCredential(ours.ek, { secret, name: theirs.key.name, random });
    assert.equal(await activate(ours.tpm, forOther), undefined, 'for another attestation key');
  });
}

test('bytes of a peer make a result or none, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.equal(readQuote(bytes), undefined);
      assert.equal(typeof readAttestationKey(bytes), 'string');
      readEventLog(bytes);
    }),
  );
  const whole = eventLogOf(EVENTS, {
    banks: [
      [4, 20],
      [11, 32],
    ],
  });
  assert.deepEqual(readEventLog(whole), EVENTS);
  for (let at = 0; at < whole.length; at += 1) {
    const events = readEventLog(whole.subarray(0, at));
    assert.ok(events === undefined || events.length < EVENTS.length, `cut at ${at}`);
  }
  assert.equal(readEventLog(eventLogOf(EVENTS, { banks: [[4, 20]] })), undefined, 'no SHA-256');
  const many = Array.from({ length: 4_097 }, () => EVENTS[0] ?? assert.fail());
  assert.equal(readEventLog(eventLogOf(many)), undefined);
  assert.equal(readEventLog(eventLogOf(many.slice(1)))?.length, 4_096);
  assert.deepEqual([...replay([]).keys()], []);
});

test('an endorsement key that nobody can encrypt to gets no credential', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const even = Buffer.from(n, 'base64url');
  even[even.length - 1] = (even.at(-1) ?? 0) & 0xfe;
  const key = { kty: 'RSA', n: even.toString('base64url'), e };
  const wanted = { secret: Buffer.alloc(32), name: Buffer.alloc(34), random: randomBytes };
  const ek = createPublicKey({ key, format: 'jwk' });
  assert.equal(makeCredential(ek, wanted), undefined);
  assert.ok(makeCredential(publicKey, wanted));
});
