/** The image repository: published whole, on the log first, and only what enough people signed. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  type Release,
  changedDocuments,
  documentsOf,
  fromBytes,
  isSignedBy,
  keysOfRole,
  lineProposal,
  openPublished,
} from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { Root } from '@tufjs/models';
import { UpdateLab, collect, person, present } from '../lab.testing.ts';
import {
  OPEN_REQUESTS_MAX,
  SNAPSHOT_LIFE_MS,
  SNAPSHOT_RENEW_MS,
  TIMESTAMP_LIFE_MS,
  TIMESTAMP_RENEW_MS,
} from './limits.ts';

const HOUR_MS = 3_600_000;

function timestampOf(lab: UpdateLab) {
  const file = present(lab.parts.releases.metadata('timestamp.json'));
  return present(fromBytes('timestamp', file));
}

/** Reads it as a device does: timestamp, snapshot, and what the snapshot names. */
function assertConsistent(lab: UpdateLab): void {
  const { releases } = lab.parts;
  const root = present(releases.published.image).signed;
  const timestamp = timestampOf(lab);
  assert.ok(isSignedBy(timestamp, keysOfRole(root, 'timestamp')));
  const { snapshotMeta } = timestamp.signed;
  const file = Buffer.from(present(releases.metadata(`${snapshotMeta.version}.snapshot.json`)));
  snapshotMeta.verify(file);
  const snapshot = present(fromBytes('snapshot', file));
  assert.ok(isSignedBy(snapshot, keysOfRole(root, 'snapshot')));
  for (const [name, meta] of Object.entries(snapshot.signed.meta)) {
    meta.verify(Buffer.from(present(releases.metadata(`${meta.version}.${name}`))));
  }
  present(openPublished(releases.publishedFiles()));
}

test('a release is there once two of three have signed, and not before', async (t) => {
  const lab = new UpdateLab(t);
  assert.equal(lab.parts.releases.metadata('timestamp.json'), undefined);
  await lab.init();
  assertConsistent(lab);
  const bytes = randomBytes(5_000);
  const release = await lab.artifact('1.0.0', bytes);
  const lives = { nowMs: lab.clock.ms };
  const line = { line: 'thermo', releases: [release] };
  const request = await lab.request([lineProposal(lab.parts.releases.published, line, lives)]);
  assert.equal((await lab.sign(request, lab.ann)).isPublished, false);
  assert.equal((await lab.sign(request, lab.ann)).isPublished, false, 'the same vote again');
  assert.equal(lab.parts.releases.byId('thermo@1.0.0'), undefined);
  assert.equal(await lab.parts.releases.artifact(release.sha256), undefined);
  assert.equal((await lab.sign(request, lab.bob)).isPublished, true);
  assertConsistent(lab);
  assert.equal(lab.parts.releases.requests.count, 0);

  lab.reopen();
  const { releases } = lab.parts;
  assertConsistent(lab);
  assert.deepEqual(releases.list(), [release]);
  assert.deepEqual(releases.byId('thermo@1.0.0'), releases.bySha256(release.sha256));
  const stored = present(await releases.artifact(release.sha256));
  assert.deepEqual(await collect(stored.read(0, bytes.length)), bytes);
});

test('each published version is on the log with its hash', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  await lab.release('1.0.0');
  const published = lab.acts.filter(({ action }) => action === 'update.publish');
  assert.deepEqual(
    published.map(({ target, principal }) => `${target} ${principal}`),
    [
      'image/root person:eve',
      'director/root person:eve',
      'image/targets person:eve',
      'image/snapshot server',
      'image/timestamp server',
      'image/line-thermo person:eve',
      'image/snapshot server',
      'image/timestamp server',
    ],
  );
  for (const { facts } of published) assert.match(String(facts?.['sha256']), /^[0-9a-f]{64}$/u);
});

test('a crash at any point leaves the repository as before or as after', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  await lab.release('1.0.0');
  const before = timestampOf(lab).signed.version;
  lab.beforeRecord = ({ action }) => {
    if (action === 'update.publish') throw new Error('the disk is full');
  };
  await assert.rejects(lab.release('2.0.0'), /the disk is full/u);
  assert.equal(lab.parts.releases.byId('thermo@2.0.0'), undefined);
  assert.equal(timestampOf(lab).signed.version, before);
  assertConsistent(lab);

  lab.reopen();
  assert.equal(timestampOf(lab).signed.version, before, 'nothing that the log has not said');
  assertConsistent(lab);
  lab.beforeRecord = () => {};
  await lab.parts.releases.renew();
  assert.notEqual(lab.parts.releases.byId('thermo@2.0.0'), undefined);
  assertConsistent(lab);
  const versions = lab.acts
    .filter(({ action, target }) => action === 'update.publish' && target === 'image/timestamp')
    .map(({ facts }) => `${String(facts?.['version'])} ${String(facts?.['sha256'])}`);
  const byVersion = new Map(versions.map((text) => text.split(' ') as [string, string]));
  assert.equal(byVersion.size, new Set(versions).size, 'no version has two hashes');
});

test('timestamp and snapshot are signed again in time, and not earlier', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const first = timestampOf(lab).signed;
  const snapshotVersion = first.snapshotMeta.version;
  assert.equal(Date.parse(first.expires) - lab.clock.ms, TIMESTAMP_LIFE_MS);
  lab.clock.ms += TIMESTAMP_RENEW_MS - 1;
  assert.deepEqual(await lab.parts.releases.renew(), []);
  lab.clock.ms += 1;
  assert.deepEqual(
    (await lab.parts.releases.renew()).map(({ role }) => role),
    ['timestamp'],
  );
  const second = timestampOf(lab).signed;
  assert.ok(second.version > first.version);
  assert.equal(second.snapshotMeta.version, snapshotVersion);
  lab.clock.ms += SNAPSHOT_LIFE_MS - SNAPSHOT_RENEW_MS;
  assert.deepEqual(
    (await lab.parts.releases.renew()).map(({ role }) => role),
    ['snapshot', 'timestamp'],
  );
  assert.ok(timestampOf(lab).signed.snapshotMeta.version > snapshotVersion);
  assertConsistent(lab);
});

test('versions grow although the clock is set back, and after a backup is restored', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const versions = [timestampOf(lab).signed.version];
  for (const stepMs of [-400 * 24 * HOUR_MS, HOUR_MS * 7, HOUR_MS * 7]) {
    lab.clock.ms += stepMs;
    lab.reopen();
    await lab.parts.releases.renew();
    versions.push(timestampOf(lab).signed.version);
  }
  assert.deepEqual(
    versions,
    [...new Set(versions)].toSorted((a, b) => a - b),
  );
  // What was made while the clock was ahead is signed anew: it would be good for too long.
  const end = Date.parse(timestampOf(lab).signed.expires);
  assert.equal(end, lab.clock.ms + TIMESTAMP_LIFE_MS);
});

test('what is not fit to be published is no request', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const { releases } = lab.parts;
  const lives = { nowMs: lab.clock.ms };
  const refusalOf = async (release: Release): Promise<string> => {
    const line = { line: 'thermo', releases: [release] };
    const proposal = lineProposal(releases.published, line, lives);
    const answer = await releases.makeRequest(documentsOf([proposal]), 'person:eve');
    assert.ok(answer instanceof Refusal);
    return answer.detail;
  };
  const release = await lab.artifact('1.0.0');
  assert.match(await refusalOf({ ...release, sha256: 'ab'.repeat(32) }), /is not here/u);
  assert.match(await refusalOf({ ...release, length: release.length + 1 }), /is not here/u);
  const sbom = { sha256: 'cd'.repeat(32), length: 7 };
  assert.match(
    await refusalOf({ ...release, custom: { ...release.custom, sbom } }),
    /is not here/u,
  );
  const foreign = person('dan').key;
  const online = { ...lab.online(), image: { snapshot: foreign, timestamp: foreign } };
  const roots = present(changedDocuments(releases.published, { online }, lives));
  const answer = await releases.makeRequest(documentsOf(roots), 'person:eve');
  assert.ok(answer instanceof Refusal);
  assert.match(answer.detail, /must name keys of this server/u);
  assert.equal(releases.requests.count, 0);
});

test('new online keys sign once roots name them, and the old ones are destroyed', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const { releases, keys } = lab.parts;
  const old = lab.online();
  keys.make();
  const before = timestampOf(lab);
  assert.ok(before.signatures[old.image.timestamp.keyID]);
  const lives = { nowMs: lab.clock.ms };
  await lab.publish(present(changedDocuments(releases.published, { online: lab.online() }, lives)));
  assert.ok(timestampOf(lab).signatures[lab.online().image.timestamp.keyID]);
  assert.equal(keys.byId(old.image.timestamp.keyID), undefined);
  assert.equal(keys.byId(old.director.targets.keyID), undefined);
  assert.equal(lab.parts.releases.documents.newest('image', 'root')?.version, 2);
  assert.notEqual(releases.metadata('1.root.json'), undefined, 'a device needs each root');
  assertConsistent(lab);
});

test('requests are so many, and end when another one has overtaken them', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const { releases } = lab.parts;
  const lives = { nowMs: lab.clock.ms };
  for (let at = 0; at < OPEN_REQUESTS_MAX; at += 1) {
    const release = await lab.artifact(`1.0.${at}`);
    const line = { line: 'thermo', releases: [release] };
    await lab.request([lineProposal(releases.published, line, lives)]);
  }
  const [first] = releases.requests.all();
  const more = lineProposal(releases.published, { line: 'thermo', releases: [] }, lives);
  assert.ok((await releases.makeRequest(documentsOf([more]), 'eve')) instanceof Refusal);
  present(await releases.withdraw(present(first).id, 'person:eve'));
  const request = await lab.request([more]);
  await lab.sign(request, lab.ann);
  await lab.sign(request, lab.bob);
  assert.equal(releases.requests.count, 0);
  assert.ok((await releases.withdraw(present(first).id, 'person:eve')) instanceof Refusal);
});

test('a version that was taken back is not given to another artifact', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const first = await lab.release('1.0.0');
  const line = async (list: readonly Release[]) => {
    const content = { line: 'thermo', releases: list };
    const lives = { nowMs: lab.clock.ms };
    return lineProposal(lab.parts.releases.published, content, lives);
  };
  await lab.publish([await line([])]);
  lab.reopen();
  const other = await lab.artifact('1.0.0');
  const answer = await lab.parts.releases.makeRequest(documentsOf([await line([other])]), 'eve');
  assert.ok(answer instanceof Refusal);
  assert.match(answer.detail, /thermo@1\.0\.0 was published with another artifact/u);
  await lab.publish([await line([first])]);
  assert.deepEqual(lab.parts.releases.list(), [first], 'the same one may come back');
});

test("no key of somebody else stands beside the server's own in a root", async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const { releases } = lab.parts;
  const lives = { nowMs: lab.clock.ms };
  const [image, ...others] = present(changedDocuments(releases.published, {}, lives));
  const root = present(image).signed;
  assert.ok(root instanceof Root);
  const stranger = person('dan').key;
  root.addKey(stranger, 'snapshot');
  const proposals = [{ repository: 'image', role: 'root', signed: root } as const, ...others];
  const answer = await releases.makeRequest(documentsOf(proposals), 'person:eve');
  assert.ok(answer instanceof Refusal);
  assert.match(answer.detail, /must name keys of this server alone for snapshot/u);
});
