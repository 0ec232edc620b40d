import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { describeKey } from '../detached/describe-key.ts';
import { testSigner } from '../detached/signer.testing.ts';
import { type Cbor, CborMap, CborTag, encodeCbor } from './cbor.ts';
import { decodeCbor } from './decode-cbor.ts';
import { readSuit, suitEnvelope, suitManifest } from './index.ts';
import type { SuitEnvelope } from './index.ts';
import { SUIT_SEQUENCE_DEPTH_MAX, SUIT_SIGNATURES_MAX } from './limits.ts';
import { classId, vendorId } from './uuid5.ts';

/** The examples of the draft are not part of this project: beside it, or where it is told. */
const BESIDE = join(import.meta.dirname, '../../../../../shared/data/suit-examples');
const OFFICIAL = process.env['HOLDFAST_SUIT_EXAMPLES'] ?? BESIDE;

const P256 = testSigner('ecdsa-p256');
const ED25519 = testSigner('ed25519');
const RELEASE = {
  vendor: 'example.com',
  hardware: ['thermo-a'],
  sequence: 7,
  image: { length: 34_768, sha256: createHash('sha256').update('image').digest('hex') },
  uri: 'https://updates.example.com/image.bin',
} as const;

function assertRead(outcome: SuitEnvelope | Refusal): SuitEnvelope {
  assert.ok(!(outcome instanceof Refusal), outcome instanceof Refusal ? outcome.detail : '');
  return outcome;
}

function assertRefused(outcome: SuitEnvelope | Refusal, detail: RegExp): void {
  assert.ok(outcome instanceof Refusal);
  assert.equal(outcome.code, 'E_UPDATE_SUIT');
  assert.match(outcome.detail, detail);
}

/** An envelope around a manifest that somebody trusted signed, however odd it is. */
async function readOdd(
  members: readonly (readonly [Cbor, Cbor])[],
): Promise<SuitEnvelope | Refusal> {
  const manifest = encodeCbor(new CborMap(members));
  return readSuit(await suitEnvelope(manifest, [P256]), [P256.publicKey]);
}

const COMMON = encodeCbor(new CborMap([[2, [[Uint8Array.of(0)]]]]));
const WHOLE: readonly (readonly [Cbor, Cbor])[] = [[1, 1], [2, 7], [3, COMMON]]; // prettier-ignore
const sequence = (...commands: Cbor[]): Cbor => encodeCbor(commands);

test('an envelope of both kinds of key is read by either', async () => {
  const envelope = await suitEnvelope(suitManifest(RELEASE), [P256, ED25519]);
  for (const { publicKey } of [P256, ED25519]) {
    const { manifest, signers } = assertRead(readSuit(envelope, [publicKey]));
    assert.deepEqual(signers, [describeKey(publicKey).keyId]);
    assert.equal(manifest.sequence, 7);
    assert.deepEqual(manifest.components, [[Uint8Array.of(0)]]);
    assert.deepEqual([...manifest.sequences.keys()], ['shared', 'install', 'validate', 'invoke']);
    const [override] = manifest.sequences.get('shared') ?? [];
    assert.ok(override?.kind === 'override');
    assert.deepEqual(override.parameters.get(1), vendorId('example.com'));
    assert.deepEqual(override.parameters.get(2), classId(vendorId('example.com'), 'thermo-a'));
    assert.equal(override.parameters.get(14), 34_768);
    const [uri] = manifest.sequences.get('install') ?? [];
    assert.ok(uri?.kind === 'override');
    assert.equal(uri.parameters.get(21), RELEASE.uri);
  }
  const both = readSuit(envelope, [P256.publicKey, ED25519.publicKey]);
  assert.equal(assertRead(both).signers.length, 2);
});

test('several hardware kinds are tried one after the other', async () => {
  const manifest = suitManifest({ ...RELEASE, hardware: ['thermo-a', 'thermo-b'] });
  const read = assertRead(readSuit(await suitEnvelope(manifest, [P256]), [P256.publicKey]));
  const tried = (read.manifest.sequences.get('shared') ?? []).at(-1);
  assert.ok(tried?.kind === 'try');
  assert.deepEqual([tried.sequences.length, tried.mayFail], [2, false]);
  assert.throws(() => suitManifest({ ...RELEASE, hardware: [] }), RangeError);
});

test('another key, an altered manifest and an unsigned envelope are refused', async () => {
  const manifest = suitManifest(RELEASE);
  const envelope = await suitEnvelope(manifest, [P256]);
  const other = testSigner('ecdsa-p256');
  assertRefused(
    readSuit(envelope, [other.publicKey, ED25519.publicKey]),
    /none of the given keys/u,
  );
  assertRefused(readSuit(envelope, []), /none of the given keys/u);
  assertRefused(readSuit(await suitEnvelope(manifest, []), [P256.publicKey]), /none of the given/u);
  const altered = await suitEnvelope(suitManifest({ ...RELEASE, sequence: 8 }), []);
  const mixed = withMember(altered, 2, memberOf(envelope, 2));
  assertRefused(readSuit(mixed, [P256.publicKey]), /not the one of its digest/u);
});

test('a flipped bit anywhere is refused', async () => {
  const envelope = await suitEnvelope(suitManifest(RELEASE), [P256]);
  for (let index = 0; index < envelope.length; index += 1) {
    const flipped = Uint8Array.from(envelope);
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
    assertRefused(readSuit(flipped, [P256.publicKey]), /./u);
    assertRefused(readSuit(envelope.subarray(0, index), [P256.publicKey]), /./u);
  }
});

test('a signed manifest that breaks the rules is refused', async () => {
  assertRead(await readOdd(WHOLE));
  const wrong: readonly (readonly [readonly (readonly [Cbor, Cbor])[], RegExp])[] = [
    [[[1, 2], ...WHOLE.slice(1)], /version is not 1/u],
    [[[1, 1], [2, -1], [3, COMMON]], /sequence number/u], // prettier-ignore
    [[[1, 1], [2, 7]], /no common/u], // prettier-ignore
    [[[1, 1], [2, 7], [3, encodeCbor(new CborMap([[2, []]]))]], /components/u], // prettier-ignore
    [[[1, 1], [2, 7], [3, encodeCbor(new CborMap([[9, 1]]))]], /unknown members/u], // prettier-ignore
    [[...WHOLE, [5, 1]], /unknown members/u],
    [[...WHOLE, [4, 1]], /reference/u],
    [[...WHOLE, [7, sequence()]], /validate/u],
    [[...WHOLE, [7, sequence(3)]], /validate/u],
    [[...WHOLE, [7, sequence(3, 16)]], /validate/u],
    [[...WHOLE, [7, sequence(99, 15)]], /validate/u],
    [[...WHOLE, [7, sequence(20, new CborMap([]))]], /validate/u],
    [[...WHOLE, [7, sequence(20, new CborMap([[2, Uint8Array.of(1)]]))]], /validate/u],
    [[...WHOLE, [7, sequence(20, new CborMap([[3, Uint8Array.of(1)]]))]], /validate/u],
    [[...WHOLE, [7, sequence(15, [sequence(3, 15)])]], /validate/u],
    [[...WHOLE, [7, [-16, new Uint8Array(32)]]], /malformed/u],
    [[...WHOLE, [20, [-16]]], /malformed/u],
  ];
  for (const [members, detail] of wrong) assertRefused(await readOdd(members), detail);
  const shared = (...commands: Cbor[]): readonly (readonly [Cbor, Cbor])[] => [
    ...WHOLE.slice(0, 2),
    [3, encodeCbor(new CborMap([[2, [[Uint8Array.of(0)]]], [4, sequence(...commands)]]))], // prettier-ignore
  ];
  assertRead(await readOdd(shared(1, 15)));
  assertRefused(await readOdd(shared(21, 2)), /shared/u);
  assertRefused(await readOdd(shared(-1, 0)), /shared/u);
});

test('sequences are nested to the limit', async () => {
  const nest = (depth: number): Cbor =>
    depth === 0 ? sequence(3, 15) : sequence(32, nest(depth - 1));
  assertRead(await readOdd([...WHOLE, [7, nest(SUIT_SEQUENCE_DEPTH_MAX)]]));
  assertRefused(await readOdd([...WHOLE, [7, nest(SUIT_SEQUENCE_DEPTH_MAX + 1)]]), /validate/u);
});

test('a severed member is the one of its digest, or is not there', async () => {
  const install = encodeCbor([3, 15]);
  const digest = createHash('sha256').update(encodeCbor(install)).digest();
  const manifest = encodeCbor(new CborMap([...WHOLE, [20, [-16, digest]]]));
  const severed = await suitEnvelope(manifest, [P256]);
  const without = assertRead(readSuit(severed, [P256.publicKey])).manifest;
  assert.deepEqual([without.severed, without.sequences.has('install')], [[20], false]);
  const withIt = readSuit(withMember(severed, 20, install), [P256.publicKey]);
  assert.deepEqual(assertRead(withIt).manifest.sequences.get('install'), [
    { kind: 'do', code: 3, reports: 15 },
  ]);
  const other = withMember(severed, 20, encodeCbor([3, 14]));
  assertRefused(readSuit(other, [P256.publicKey]), /not the one of its digest/u);
  const undigested = withMember(await suitEnvelope(suitManifest(RELEASE), [P256]), 23, install);
  assertRefused(readSuit(undigested, [P256.publicKey]), /without digest/u);
  const unknown = withMember(severed, 24, install);
  assertRefused(readSuit(unknown, [P256.publicKey]), /unknown/u);
  assertRead(readSuit(withMember(severed, '#file', install), [P256.publicKey]));
});

test('more signatures than anybody needs are refused', async () => {
  const times = (count: number) => Array.from({ length: count }, () => ED25519);
  const manifest = suitManifest(RELEASE);
  const keys = [ED25519.publicKey];
  assertRead(readSuit(await suitEnvelope(manifest, times(SUIT_SIGNATURES_MAX)), keys));
  const many = await suitEnvelope(manifest, times(SUIT_SIGNATURES_MAX + 1));
  assertRefused(readSuit(many, keys), /malformed/u);
});

test('random bytes, signed or not, are refused and never throw', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
      assertRefused(readSuit(bytes, [P256.publicKey]), /./u);
      const signed = readSuit(await suitEnvelope(bytes, [ED25519]), [ED25519.publicKey]);
      assertRefused(signed, /manifest/u);
    }),
  );
});

test(
  'the official examples 0 to 5 are read, and their signatures hold',
  { skip: existsSync(OFFICIAL) ? false : `no examples in ${OFFICIAL}` },
  () => {
    const key = createPublicKey(readFileSync(join(OFFICIAL, 'public-key.pem')));
    for (let number = 0; number <= 5; number += 1) {
      const text = readFileSync(join(OFFICIAL, `example${number}.txt`), 'utf8');
      const blocks = [...text.matchAll(/~~~\n([0-9a-f\n]+)~~~/gu)].map(([, hex = '']) =>
        Buffer.from(hex.replaceAll('\n', ''), 'hex'),
      );
      assert.equal(blocks.length, number === 2 ? 3 : 2);
      for (const [index, block] of blocks.entries()) {
        const again = decodeCbor(block);
        assert.ok(again !== undefined);
        assert.deepEqual(Buffer.from(encodeCbor(again)), block, 'written again as it was');
        if (index === 0) {
          assertRefused(readSuit(block, [key]), /none of the given keys/u);
          continue;
        }
        assertOfficial(assertRead(readSuit(block, [key])), {
          number,
          isSevered: block.length < 400,
        });
        assertRefused(readSuit(block, [P256.publicKey]), /none of the given keys/u);
      }
    }
  },
);

/** What all of the examples say, and what tells them apart. */
function assertOfficial(
  { manifest }: SuitEnvelope,
  { number, isSevered }: { number: number; isSevered: boolean },
): void {
  assert.equal(manifest.sequence, number);
  assert.equal(manifest.components.length, [1, 1, 1, 1, 3, 2][number]);
  const shared = manifest.sequences.get('shared') ?? [];
  const first = shared.find((command) => command.kind === 'override');
  assert.ok(first?.kind === 'override');
  assert.deepEqual(first.parameters.get(1), vendorId('arm.com'));
  assert.deepEqual(first.parameters.get(2), classId(vendorId('arm.com'), 'suit'));
  assert.equal(shared.some(({ kind }) => kind === 'try'), number === 3); // prettier-ignore
  assert.equal(manifest.sequences.has('invoke'), ![1, 3].includes(number));
  assert.equal(manifest.sequences.has('load'), number === 4);
  assert.deepEqual(manifest.severed, number === 2 && isSevered ? [20, 23] : []);
  assert.equal(manifest.sequences.has('install'), number > 0 && !(number === 2 && isSevered));
}

/** The envelope with one member in place of its own, or more. */
function withMember(envelope: Uint8Array, key: number | string, bytes: Cbor): Uint8Array {
  const tagged = decodeCbor(envelope);
  assert.ok(tagged instanceof CborTag && tagged.item instanceof CborMap);
  const others = tagged.item.entries.filter(([name]) => name !== key);
  return encodeCbor(new CborTag(tagged.tag, new CborMap([...others, [key, bytes]])));
}

function memberOf(envelope: Uint8Array, key: number): Cbor {
  const tagged = decodeCbor(envelope);
  assert.ok(tagged instanceof CborTag && tagged.item instanceof CborMap);
  return tagged.item.get(key) ?? null;
}
