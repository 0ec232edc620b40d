import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import type { FirmwareDocument, SignatureFile } from '@holdfast/protocol/api';
import type { Root } from '@tufjs/models';
import fc from 'fast-check';
import {
  type NamedKey,
  NOTHING_PUBLISHED,
  type Published,
  type Signer,
  type Signers,
  acceptSignatures,
  canonicalBytes,
  changedDocuments,
  checkRequest,
  documentsOf,
  firstDocuments,
  fromBytes,
  isSignedBy,
  keyOf,
  keysOfRole,
  lineProposal,
  memorySigner,
  newRequest,
  newRoot,
  openPublished,
  peopleOf,
  type Proposal,
  readRequest,
  readSignatures,
  signRequest,
  summaryOf,
  toBytes,
  unsigned,
} from '../index.ts';
import type { Release } from '../index.ts';
import type { CheckedRequest } from './checked-request.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const lives = { nowMs: NOW };

function person(name: string, type: 'ed25519' | 'p256' = 'ed25519'): NamedKey & { signer: Signer } {
  const { privateKey } =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = memorySigner(privateKey);
  return { name, key: signer.key, signer };
}

const onlineKey = () => keyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const newOnline = () => ({
  image: { snapshot: onlineKey(), timestamp: onlineKey() },
  director: { targets: onlineKey(), snapshot: onlineKey(), timestamp: onlineKey() },
});

const alice = person('alice');
const bob = person('bob', 'p256');
const carol = person('carol');
const dave = person('dave');
const rel1 = person('rel1', 'p256');
const rel2 = person('rel2');
const online = newOnline();
const people: Signers = { keys: [alice, bob, carol], threshold: 2 };
const line: Signers = { keys: [rel1, rel2], threshold: 1 };

const first = (): Proposal[] =>
  firstDocuments({ signers: people, lines: new Map([['thermo', line]]), online }, lives);

function release(version: string, counter = 1): Release {
  return {
    id: `thermo@${version}`,
    path: `thermo/${version}/fw.bin`,
    length: 3,
    sha256: 'ab'.repeat(32),
    custom: { line: 'thermo', version, hardware: ['thermo-a'], counter },
  };
}

function checked(documents: readonly FirmwareDocument[], published: Published): CheckedRequest {
  const request = checkRequest(documents, { published, nowMs: NOW });
  return request instanceof Refusal ? assert.fail(request.detail) : request;
}

/** Has a request signed by some, as it would be on the server. */
async function publish(
  proposals: readonly Proposal[] | Refusal,
  { by, published }: { by: readonly { signer: Signer }[]; published: Published },
): Promise<Published> {
  assert.ok(!(proposals instanceof Refusal));
  const request = checked(documentsOf(proposals), published);
  let files: readonly SignatureFile[] = [];
  let complete: readonly FirmwareDocument[] | undefined;
  for (const { signer } of by) {
    const file = await signRequest(request, signer);
    assert.ok(!(file instanceof Refusal));
    const accepted = acceptSignatures(request, { before: files, file });
    assert.ok(!(accepted instanceof Refusal));
    files = accepted.files;
    complete = accepted.progress.complete;
  }
  assert.ok(complete !== undefined, 'not enough signatures');
  const opened = openPublished([...documentsIn(published, complete), ...complete]);
  return opened instanceof Refusal ? assert.fail(opened.detail) : opened;
}

function documentsIn(
  published: Published,
  except: readonly FirmwareDocument[],
): FirmwareDocument[] {
  const all = [
    ['image', 'root', published.image],
    ['director', 'root', published.director],
    ['image', 'targets', published.targets],
    ...[...published.lines].map(([name, one]) => ['image', `line-${name}`, one] as const),
  ] as const;
  return all.flatMap(([repository, role, one]) =>
    one === undefined || except.some((e) => e.repository === repository && e.role === role)
      ? []
      : [{ repository, role, metadata: toBytes(one).toString('base64') }],
  );
}

const initialized = () => publish(first(), { by: [alice, bob], published: NOTHING_PUBLISHED });

function refusalOf(documents: readonly FirmwareDocument[], published = NOTHING_PUBLISHED): string {
  const refusal = checkRequest(documents, { published, nowMs: NOW });
  return refusal instanceof Refusal ? `${refusal.code} ${refusal.detail}` : assert.fail('accepted');
}

test('two of three make the repositories, each in their own time; one is not enough', async () => {
  const request = checked(documentsOf(first()), NOTHING_PUBLISHED);
  const one = await signRequest(request, alice.signer);
  assert.ok(!(one instanceof Refusal));
  const half = acceptSignatures(request, { before: [], file: one });
  assert.ok(!(half instanceof Refusal) && half.isNew);
  assert.equal(half.progress.complete, undefined);
  // The same file again changes nothing.
  const again = acceptSignatures(request, { before: half.files, file: one });
  assert.ok(!(again instanceof Refusal) && !again.isNew && again.files.length === 1);
  assert.equal(again.progress.complete, undefined);
  const published = await initialized();
  assert.equal(published.image?.signed.version, 1);
  assert.ok(
    isSignedBy(published.targets ?? assert.fail(), keysOfRole(published.image.signed, 'root')),
  );
});

test('the words of a summary come from the documents', () => {
  const request = checked(documentsOf(first()), NOTHING_PUBLISHED);
  const text = JSON.stringify(summaryOf(request, NOW));
  for (const wanted of [
    'image repository, root, version 1 (the first one)',
    `root: key of alice (ed25519) ${alice.key.keyID}`,
    'root: 2 of alice, bob, carol',
    'timestamp: 1 of the server',
    'product line thermo: 1 of rel1, rel2',
    'product line thermo: one key alone is enough',
    'ends on 2027-11-21, in 365 days',
  ]) {
    assert.ok(text.includes(wanted), `${wanted} in ${text}`);
  }
});

test('a changed key shows in the summary, and the old and the new signers must agree', async () => {
  const published = await initialized();
  const next = { keys: [alice, bob, dave], threshold: 2 };
  const proposals = changedDocuments(published, { people: next }, lives);
  assert.ok(!(proposals instanceof Refusal));
  assert.deepEqual(
    proposals.map(({ repository, role }) => `${repository} ${role}`),
    ['image root', 'director root', 'image targets'],
  );
  const request = checked(documentsOf(proposals), published);
  const text = JSON.stringify(summaryOf(request, NOW));
  assert.ok(text.includes(`root: key of dave (ed25519) ${dave.key.keyID}`), text);
  assert.ok(text.includes(`root: key of carol (ed25519) ${carol.key.keyID}`), text);
  // Alice and Carol are enough of the old ones; of the new ones one is missing.
  await assert.rejects(publish(proposals, { by: [alice, carol], published }), /not enough/u);
  await assert.rejects(publish(proposals, { by: [alice, dave], published }), /not enough/u);
  const after = await publish(proposals, { by: [carol, alice, dave], published });
  assert.deepEqual(
    peopleOf(after)?.keys.map(({ name }) => name),
    ['alice', 'bob', 'dave'],
  );
  // Carol's key counts no more.
  const renewal = checked(documentsOf(renewalOf(after)), after);
  const refused = await signRequest(renewal, carol.signer);
  assert.ok(refused instanceof Refusal && refused.code === 'E_UPDATE_KEY');
});

function renewalOf(published: Published): Proposal[] {
  const proposals = changedDocuments(published, {}, lives);
  return proposals instanceof Refusal ? assert.fail(proposals.detail) : proposals;
}

test('a signature of a removed key, or of another request, is not accepted', async () => {
  const published = await initialized();
  const stale = checked(documentsOf(renewalOf(published)), published);
  const old = await signRequest(stale, carol.signer);
  assert.ok(!(old instanceof Refusal));
  const proposals = changedDocuments(
    published,
    { people: { keys: [alice, bob, dave], threshold: 2 } },
    lives,
  );
  const after = await publish(proposals, { by: [alice, bob, dave], published });
  const request = checked(documentsOf(renewalOf(after)), after);
  const other = acceptSignatures(request, { before: [], file: old });
  assert.ok(other instanceof Refusal && other.detail.includes('another request'));
  // Even if the file is made to say that it is of this request.
  const signatures = old.signatures.map((one) => ({ ...one, version: one.version + 1 }));
  const forged = acceptSignatures(request, {
    before: [],
    file: { ...old, request: request.id, signatures },
  });
  assert.ok(forged instanceof Refusal && forged.detail.includes('has no part in'));
  // The request of before is closed: its versions are published.
  assert.match(refusalOf(documentsOf(renewalOf(published)), after), /the next one is 3/u);
});

test('a signature file with a flipped byte is refused, and so is one in the name of another', async () => {
  const request = checked(documentsOf(first()), NOTHING_PUBLISHED);
  const file = await signRequest(request, alice.signer);
  assert.ok(!(file instanceof Refusal));
  const [one, ...rest] = file.signatures;
  assert.ok(one !== undefined);
  const flipped = `${one.signature[0] === '0' ? '1' : '0'}${one.signature.slice(1)}`;
  for (const wrong of [
    { ...file, signatures: [{ ...one, signature: flipped }, ...rest] },
    { ...file, keyId: carol.key.keyID },
    { ...file, keyId: dave.key.keyID },
    { ...file, signatures: [one, one] },
    { ...file, signatures: [{ ...one, role: 'line-thermo' }] },
  ]) {
    const refused = acceptSignatures(request, { before: [], file: wrong });
    assert.ok(refused instanceof Refusal && refused.code === 'E_UPDATE_SIGNATURE');
  }
});

test('one person cannot be two: by a key in two forms, twice, or under one name', () => {
  const names = { [alice.key.keyID]: 'alice', [bob.key.keyID]: 'bob' };
  const root = (
    changes: Partial<Parameters<typeof newRoot>[0]>,
    edit = (json: unknown) => json,
    directorNames: Record<string, string> = names,
  ) => {
    const keys = { keys: [alice.key, bob.key], threshold: 2 };
    const one = (key: typeof alice.key) => ({ keys: [key], threshold: 1 });
    const common = { version: 1, expiresMs: NOW + 1e9, root: keys };
    const image = newRoot({
      ...common,
      repository: 'image',
      targets: keys,
      snapshot: one(online.image.snapshot),
      timestamp: one(online.image.timestamp),
      names,
      ...changes,
    });
    const director = newRoot({
      ...common,
      repository: 'director',
      targets: one(online.director.targets),
      snapshot: one(online.director.snapshot),
      timestamp: one(online.director.timestamp),
      names: directorNames,
    });
    const documents = documentsOf([
      { repository: 'image', role: 'root', signed: image },
      { repository: 'director', role: 'root', signed: director },
    ]);
    return documents.map(({ repository, role, metadata }) => {
      const json: unknown = JSON.parse(Buffer.from(metadata, 'base64').toString());
      const edited = Buffer.from(JSON.stringify(edit(json))).toString('base64');
      return { repository, role, metadata: edited };
    });
  };
  assert.ok(checked(root({}), NOTHING_PUBLISHED));
  const twice = (json: unknown): unknown =>
    JSON.parse(JSON.stringify(json).replaceAll(`"${bob.key.keyID}"]`, `"${alice.key.keyID}"]`));
  assert.match(refusalOf(root({}, twice)), /must not name a key twice/u);
  const same = { [alice.key.keyID]: 'alice', [bob.key.keyID]: 'alice' };
  assert.match(refusalOf(root({ names: same })), /alice has two keys/u);
  const nameless = { names: { [alice.key.keyID]: 'alice' } };
  assert.match(refusalOf(root(nameless, undefined, nameless.names)), /has no name/u);
  const renamed = { [alice.key.keyID]: 'bob', [bob.key.keyID]: 'alice' };
  assert.match(refusalOf(root({ names: renamed })), /The key of bob is named alice/u);
  // The same key in capitals would have another id.
  const upper = (json: unknown): unknown =>
    JSON.parse(
      JSON.stringify(json).replace(
        `"${alice.key.keyVal['public']}"`,
        `"${alice.key.keyVal['public']?.toUpperCase()}"`,
      ),
    );
  assert.match(refusalOf(root({}, upper)), /not in the one form/u);
  const people1 = { keys: [alice.key, online.image.snapshot], threshold: 2 };
  assert.match(refusalOf(root({ root: people1, targets: people1 })), /same signers/u);
  const shared = { keys: [online.director.targets], threshold: 1 };
  assert.match(refusalOf(root({ snapshot: shared })), /share an online key/u);
  const asPeople = { keys: [alice.key], threshold: 1 };
  assert.match(refusalOf(root({ timestamp: asPeople })), /must not be a key of people/u);
});

test('what a signer is not shown, no one can sign: unknown fields, foreign documents', async () => {
  const published = await initialized();
  const [root] = documentsOf(first());
  assert.ok(root !== undefined);
  const edited = (edit: (signed: Record<string, unknown>) => void): FirmwareDocument[] => {
    const json: { signed: Record<string, unknown> } = JSON.parse(
      Buffer.from(root.metadata, 'base64').toString(),
    );
    edit(json.signed);
    const metadata = Buffer.from(JSON.stringify(json)).toString('base64');
    return [{ ...root, metadata }, ...documentsOf(first()).slice(1)];
  };
  assert.match(refusalOf(edited((signed) => (signed['more'] = 1))), /E_UPDATE_METADATA/u);
  assert.match(refusalOf(edited((signed) => (signed['version'] = 2))), /the next one is 1/u);
  assert.match(refusalOf(edited((signed) => (signed['version'] = 1.5))), /E_UPDATE_METADATA/u);
  assert.match(
    refusalOf(edited((signed) => (signed['holdfast'] = { repository: 'director' }))),
    /says it is another/u,
  );
  const expired = firstDocuments(
    { signers: people, lines: new Map(), online },
    { nowMs: NOW - 366 * 86_400_000 },
  );
  assert.match(refusalOf(documentsOf(expired)), /expired already/u);
  const long = { nowMs: NOW, rootDays: 401 };
  const longer = firstDocuments({ signers: people, lines: new Map(), online }, long);
  assert.match(refusalOf(documentsOf(longer)), /more than 400 days/u);
  const fits = firstDocuments(
    { signers: people, lines: new Map(), online },
    { nowMs: NOW, rootDays: 400 },
  );
  assert.ok(checked(documentsOf(fits), NOTHING_PUBLISHED));
  assert.match(refusalOf(documentsOf(first()), published), /the next one is 2/u);
  assert.match(refusalOf([...documentsOf(first()), root]), /two documents/u);
  const online1: FirmwareDocument = { ...root, role: 'timestamp' };
  assert.match(refusalOf([online1]), /People do not sign/u);
  const [image, ...others] = documentsOf(renewalOf(published));
  const metadata = toBytes(published.image ?? assert.fail()).toString('base64');
  const signedAlready = image === undefined ? [] : [{ ...image, metadata }, ...others];
  assert.match(refusalOf(signedAlready, published), /brings signatures/u);
});

test('releases: added, removed, and never replaced by another artifact', async () => {
  let published = await initialized();
  const add = (releases: Release[]) => [
    lineProposal(published, { line: 'thermo', releases }, lives),
  ];
  published = await publish(add([release('1.0.0')]), { by: [rel1], published });
  published = await publish(add([release('1.0.0'), release('2.0.0', 2)]), {
    by: [rel2],
    published,
  });
  assert.equal(published.lines.get('thermo')?.signed.version, 2);
  const request = checked(documentsOf(add([release('2.0.0', 2), release('2.1.0', 1)])), published);
  const text = JSON.stringify(summaryOf(request, NOW));
  assert.ok(text.includes('release thermo@1.0.0: devices no longer find it'), text);
  assert.ok(text.includes('release thermo@2.1.0 for thermo-a, counter 1, 3 bytes'), text);
  assert.ok(text.includes('thermo@2.1.0: its counter is lower'), text);
  const other = { ...release('2.0.0', 2), sha256: 'cd'.repeat(32) };
  assert.match(refusalOf(documentsOf(add([other])), published), /another artifact/u);
  // A signer of the roots has no part in releases, and the other way round.
  const refused = await signRequest(request, alice.signer);
  assert.ok(refused instanceof Refusal && refused.code === 'E_UPDATE_KEY');
  const stranger = lineProposal(published, { line: 'pump', releases: [] }, lives);
  assert.match(refusalOf(documentsOf([stranger]), published), /no product line pump/u);
});

test('a revoked release key takes its signatures with it: the line is signed again', async () => {
  let published = await initialized();
  const releases = [release('1.0.0')];
  const proposal = [lineProposal(published, { line: 'thermo', releases }, lives)];
  published = await publish(proposal, { by: [rel1], published });
  const lines = new Map([['thermo', { keys: [rel2], threshold: 1 }]]);
  const change = changedDocuments(published, { lines }, lives);
  assert.ok(!(change instanceof Refusal));
  assert.deepEqual(
    change.map(({ role }) => role),
    ['targets', 'line-thermo'],
  );
  const [targets] = documentsOf(change);
  assert.match(refusalOf(targets === undefined ? [] : [targets], published), /signed again/u);
  const after = await publish(change, { by: [alice, carol, rel2], published });
  assert.equal(after.lines.get('thermo')?.signed.version, 2);
});

test('online keys are changed by the people, and no one else', async () => {
  const published = await initialized();
  const change = changedDocuments(published, { online: newOnline() }, lives);
  assert.ok(!(change instanceof Refusal));
  assert.deepEqual(
    change.map(({ repository, role }) => `${repository} ${role}`),
    ['image root', 'director root'],
  );
  const after = await publish(change, { by: [bob, carol], published });
  assert.equal(after.image?.signed.version, 2);
});

test('what is said to be published must be vouched for', async () => {
  const published = await initialized();
  const documents = documentsIn(published, []);
  assert.ok(!(openPublished(documents) instanceof Refusal));
  const unsignedRoot = unsigned<Root>(published.image?.signed ?? assert.fail());
  const bytes = toBytes(unsignedRoot).toString('base64');
  const without = documents.map((d) =>
    d.repository === 'image' && d.role === 'root' ? { ...d, metadata: bytes } : d,
  );
  assert.ok(openPublished(without) instanceof Refusal);
  const swapped = documents.map(({ repository, role, metadata }) => ({
    repository: role !== 'root' || repository === 'director' ? 'image' : 'director',
    role,
    metadata,
  })) satisfies FirmwareDocument[];
  assert.ok(openPublished(swapped) instanceof Refusal);
});

test('files of requests and signatures are read within their limits', () => {
  const request = newRequest(documentsOf(first()), { published: [] });
  assert.deepEqual(readRequest(Buffer.from(JSON.stringify(request))), request);
  assert.ok(readRequest(Buffer.from(JSON.stringify({ ...request, more: 1 }))) instanceof Refusal);
  assert.ok(readRequest(Buffer.alloc(16_777_217, ' ')) instanceof Refusal);
  assert.ok(readSignatures(Buffer.alloc(65_537, ' ')) instanceof Refusal);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.ok(readRequest(bytes) instanceof Refusal);
      assert.ok(readSignatures(bytes) instanceof Refusal);
    }),
  );
});

test('no change of one byte of a document goes unnoticed', async () => {
  const published = await initialized();
  const root = published.image ?? assert.fail();
  const bytes = toBytes(root);
  const role = keysOfRole(root.signed, 'root');
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: bytes.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const read = fromBytes('root', changed);
        if (read instanceof Refusal) return;
        const isSame = canonicalBytes(read.signed).equals(canonicalBytes(root.signed));
        assert.ok(isSame || !isSignedBy(read, role));
      },
    ),
    { numRuns: 300 },
  );
  // Whatever JSON there is in place of it is refused or read, and never thrown at us.
  fc.assert(
    fc.property(fc.jsonValue(), (signed) => {
      const file = Buffer.from(JSON.stringify({ signed, signatures: [] }));
      for (const kind of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
        assert.ok(fromBytes(kind, file) instanceof Refusal);
      }
    }),
  );
});

test('nothing of a release goes to signature unseen, and nothing of it changes unseen', async () => {
  let published = await initialized();
  const add = (releases: Release[]) => [
    lineProposal(published, { line: 'thermo', releases }, lives),
  ];
  const whole: Release = {
    ...release('1.0.0'),
    custom: {
      ...release('1.0.0').custom,
      minimumVersion: '0.9.0',
      severity: 'high',
      fixes: ['CVE-2026-1'],
      sbom: { sha256: '01'.repeat(32), length: 5 },
      suit: { sha256: '02'.repeat(32), length: 6 },
      deltas: [{ from: '03'.repeat(32), sha256: '04'.repeat(32), length: 7 }],
      detached: [{ algorithm: 'ed25519', keyId: '05'.repeat(32), signature: 'AAAA' }],
      measurements: [{ pcr: 8, events: ['06'.repeat(32)] }],
    },
  };
  const request = checked(documentsOf(add([whole])), published);
  const text = JSON.stringify(summaryOf(request, NOW));
  const shown = ['01', '02', '03', '04', '05', '06'].map((byte) => byte.repeat(32));
  for (const part of [...shown, 'PCR 8', 'fw.bin', '0.9.0', 'high', 'CVE-2026-1']) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  published = await publish(add([whole]), { by: [rel1], published });
  const longer = documentsOf(add([{ ...whole, length: 4 }]));
  assert.match(refusalOf(longer, published), /another artifact/u);
});

test('targets that delegate nothing at all do not end all product lines unseen', async () => {
  const published = await initialized();
  const [, , targets] = documentsOf(renewalOf(published));
  assert.ok(targets?.role === 'targets');
  const json: { signed: Record<string, unknown> } = JSON.parse(
    Buffer.from(targets.metadata, 'base64').toString(),
  );
  delete json.signed['delegations'];
  const metadata = Buffer.from(JSON.stringify(json)).toString('base64');
  assert.match(refusalOf([{ ...targets, metadata }], published), /E_UPDATE_METADATA/u);
});
