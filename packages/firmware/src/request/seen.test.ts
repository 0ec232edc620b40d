import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import type { FirmwareDocument, SignatureFile } from '@holdfast/protocol/api';
import {
  type CheckedRequest,
  NOTHING_PUBLISHED,
  NOTHING_SEEN,
  type NamedKey,
  type Proposal,
  type Published,
  type Seen,
  type Signer,
  type Signers,
  acceptSignatures,
  changedDocuments,
  checkRequest,
  comparePast,
  documentsOf,
  firstDocuments,
  keyOf,
  memorySigner,
  openPublished,
  readSeen,
  repeatedVersions,
  seenAfter,
  signRequest,
  toBytes,
} from '../index.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const lives = { nowMs: NOW };

function person(name: string): NamedKey & { signer: Signer } {
  const signer = memorySigner(generateKeyPairSync('ed25519').privateKey);
  return { name, key: signer.key, signer };
}

const onlineKey = () => keyOf(generateKeyPairSync('ed25519').publicKey);
const online = {
  image: { snapshot: onlineKey(), timestamp: onlineKey() },
  director: { targets: onlineKey(), snapshot: onlineKey(), timestamp: onlineKey() },
};
const alice = person('alice');
const bob = person('bob');
const mallory = person('mallory');

const first = (keys: NamedKey[]): Proposal[] =>
  firstDocuments({ signers: { keys, threshold: keys.length }, lines: new Map(), online }, lives);

function checked(proposals: readonly Proposal[] | Refusal, published: Published): CheckedRequest {
  assert.ok(!(proposals instanceof Refusal));
  const request = checkRequest(documentsOf(proposals), { published, nowMs: NOW });
  return request instanceof Refusal ? assert.fail(request.detail) : request;
}

async function publish(request: CheckedRequest, by: readonly { signer: Signer }[]) {
  let files: readonly SignatureFile[] = [];
  for (const { signer } of by) {
    const file = await signRequest(request, signer);
    assert.ok(!(file instanceof Refusal));
    const accepted = acceptSignatures(request, { before: files, file });
    assert.ok(!(accepted instanceof Refusal));
    ({ files } = accepted);
    const { complete } = accepted.progress;
    if (complete === undefined) continue;
    const opened = openPublished(complete);
    return opened instanceof Refusal ? assert.fail(opened.detail) : opened;
  }
  return assert.fail('not enough signatures');
}

const after = (published: Published, request: CheckedRequest) =>
  seenAfter(NOTHING_SEEN, { published, request, documents: request.documents });

const change = (published: Published, people: Signers) =>
  checked(changedDocuments(published, { people }, lives), published);

const compare = (seen: Seen, published: Published, history: FirmwareDocument[] = []) =>
  comparePast(seen, { published, history });

const rootsOf = ({ image, director }: Published): FirmwareDocument[] => [
  {
    repository: 'image',
    role: 'root',
    metadata: toBytes(image ?? assert.fail()).toString('base64'),
  },
  {
    repository: 'director',
    role: 'root',
    metadata: toBytes(director ?? assert.fail()).toString('base64'),
  },
];

const pastOf = (refusal: Refusal | undefined): string => refusal?.detail ?? 'fits';

test('a server cannot show a signer other roots than those that the key has seen', async () => {
  const request = checked(first([alice, bob]), NOTHING_PUBLISHED);
  const seen = after(NOTHING_PUBLISHED, request);
  const published = await publish(request, [alice, bob]);
  assert.equal(compare(NOTHING_SEEN, published), undefined);
  assert.equal(pastOf(compare(seen, published)), 'fits');
  // What was signed to be the first root waits for Bob still, or was taken back.
  assert.equal(pastOf(compare(seen, NOTHING_PUBLISHED)), 'fits');
  const forged = await publish(checked(first([mallory]), NOTHING_PUBLISHED), [mallory]);
  assert.match(pastOf(compare(seen, forged)), /another version 1/u);

  const second = change(published, { keys: [alice, bob], threshold: 1 });
  const seenOne = after(published, second);
  assert.match(pastOf(compare(seenOne, NOTHING_PUBLISHED)), /there is no root/u);
  const two = await publish(second, [alice, bob]);
  assert.equal(pastOf(compare(seenOne, two)), 'fits');
  const seenTwo = after(two, change(two, { keys: [alice], threshold: 1 }));
  assert.match(pastOf(compare(seenTwo, published)), /version 1 of the root is the newest/u);
  const forgedTwo = await publish(change(forged, { keys: [mallory], threshold: 1 }), [mallory]);
  assert.match(pastOf(compare(seenOne, forgedTwo)), /shows no way to it from version 1/u);
});

test("a signer who missed ceremonies follows the roots between, and nobody else's", async () => {
  const carol = person('carol');
  let published = await publish(checked(first([alice, bob]), NOTHING_PUBLISHED), [alice, bob]);
  const seen = after(published, change(published, { keys: [alice, bob], threshold: 1 }));
  const history = rootsOf(published);
  const steps: [NamedKey[], (NamedKey & { signer: Signer })[]][] = [
    [
      [alice, carol],
      [alice, bob, carol],
    ],
    [
      [carol, mallory],
      [alice, carol, mallory],
    ],
    [
      [carol, mallory],
      [carol, mallory],
    ],
    [
      [carol, mallory],
      [mallory, carol],
    ],
    [
      [carol, bob],
      [carol, mallory, bob],
    ],
  ];
  for (const [keys, by] of steps) {
    published = await publish(change(published, { keys, threshold: 2 }), by);
    history.push(...rootsOf(published));
  }
  assert.equal(published.image?.signed.version, 6);
  assert.equal(pastOf(compare(seen, published, history)), 'fits');
  assert.match(pastOf(compare(seen, published)), /shows no way/u);
  // One that is missing, or out of its order, breaks the way.
  assert.match(pastOf(compare(seen, published, history.toSpliced(4, 1))), /shows no way/u);
});

test('to sign one version twice, in other words, shows', async () => {
  const published = await publish(checked(first([alice]), NOTHING_PUBLISHED), [alice]);
  const one = change(published, { keys: [alice, bob], threshold: 1 });
  const seen = after(published, one);
  assert.deepEqual(repeatedVersions(seen, one.documents), []);
  const other = change(published, { keys: [alice, mallory], threshold: 1 });
  const warnings = repeatedVersions(seen, other.documents);
  assert.ok(
    warnings.some((text) => text.includes('version 2 of image root')),
    warnings.join(),
  );
});

test('a damaged file of what was seen stops, and does not begin anew', () => {
  assert.deepEqual(readSeen(JSON.stringify(NOTHING_SEEN)), NOTHING_SEEN);
  for (const text of ['', '{}', '{"type":"holdfast-signer-seen/1"}', 'null']) {
    assert.ok(readSeen(text) instanceof Refusal);
  }
});
