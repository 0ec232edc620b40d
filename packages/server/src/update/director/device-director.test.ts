/** The director: each device hears of its own release, in versions that only grow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fromBytes,
  isSignedBy,
  keysOfRole,
  lineProposal,
  releasesOf,
  scopeOf,
} from '@holdfast/firmware';
import { UpdateLab, deviceId, present } from '../lab.testing.ts';
import { ANSWER_LIFE_MS, ANSWER_RENEW_MS } from './limits.ts';

const ONE = deviceId('pump-1');
const TWO = deviceId('pump-2');

/** What a device would find, with every signature and hash checked. */
function answerTo(lab: UpdateLab, device = ONE) {
  const { director, releases } = lab.parts;
  const root = present(releases.published.director).signed;
  const file = (name: string) => Buffer.from(present(director.metadata(device, name)));
  const timestamp = present(fromBytes('timestamp', file('timestamp.json')));
  const { snapshotMeta } = timestamp.signed;
  const snapshotFile = file(`${snapshotMeta.version}.snapshot.json`);
  snapshotMeta.verify(snapshotFile);
  const snapshot = present(fromBytes('snapshot', snapshotFile));
  const targetsMeta = present(snapshot.signed.meta['targets.json']);
  const targetsFile = file(`${targetsMeta.version}.targets.json`);
  targetsMeta.verify(targetsFile);
  const targets = present(fromBytes('targets', targetsFile));
  assert.ok(isSignedBy(timestamp, keysOfRole(root, 'timestamp')));
  assert.ok(isSignedBy(snapshot, keysOfRole(root, 'snapshot')));
  assert.ok(isSignedBy(targets, keysOfRole(root, 'targets')));
  for (const { signed } of [timestamp, snapshot, targets]) {
    assert.deepEqual(scopeOf(signed), { repository: 'director', device });
  }
  return { timestamp, release: releasesOf(targets.signed)[0] };
}

test('a device hears of what it was assigned, and another one does not', async (t) => {
  const lab = new UpdateLab(t);
  assert.equal(lab.parts.director.metadata(ONE, 'timestamp.json'), undefined, 'no root yet');
  await lab.init();
  const release = await lab.release('1.0.0');
  assert.equal(answerTo(lab).release, undefined);
  await lab.parts.director.assign(ONE, release, { principal: 'person:eve', reason: 'a try' });
  assert.deepEqual(answerTo(lab).release, release);
  assert.equal(answerTo(lab, TWO).release, undefined);
  const act = lab.acts.findLast(({ action }) => action === 'update.assign');
  assert.equal(act?.principal, 'person:eve');
  assert.equal(act.target, ONE);
  assert.equal(act.facts?.['sha256'], release.sha256);
  lab.reopen();
  assert.deepEqual(lab.parts.director.assigned(ONE), release);
  assert.deepEqual(answerTo(lab).release, release);
  await lab.parts.director.assign(ONE, undefined);
  assert.equal(answerTo(lab).release, undefined);
});

test('what is not on the log is not assigned', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const release = await lab.release('1.0.0');
  lab.beforeRecord = () => {
    throw new Error('the disk is full');
  };
  await assert.rejects(lab.parts.director.assign(ONE, release), /full/u);
  assert.equal(lab.parts.director.assigned(ONE), undefined);
});

test('nothing is signed while nothing changes, and all of it again in time', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const release = await lab.release('1.0.0');
  const { director } = lab.parts;
  await director.assignMany([ONE, TWO], release);
  for (let at = 0; at < 100; at += 1) director.revision(ONE);
  assert.equal(director.signatures, 0, 'a poll needs none');
  const first = answerTo(lab).timestamp.signed;
  assert.equal(Date.parse(first.expires), lab.clock.ms + ANSWER_LIFE_MS);
  lab.clock.ms += ANSWER_RENEW_MS - 1;
  assert.equal(answerTo(lab).timestamp.signed.version, first.version);
  assert.equal(director.signatures, 3);
  lab.clock.ms += 1;
  assert.ok(answerTo(lab).timestamp.signed.version > first.version);
  assert.equal(director.signatures, 6);
  const name = `${first.snapshotMeta.version}.snapshot.json`;
  assert.notEqual(director.metadata(ONE, name), undefined, 'who is in the middle can go on');
  await director.assign(ONE, release);
  assert.equal(answerTo(lab).release?.id, release.id);
  assert.equal(director.signatures, 6, 'the same again is no change');
});

test('versions only grow: over changes, restarts, and a clock that is set back', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const release = await lab.release('1.0.0');
  const versions: number[] = [];
  const see = (): void => void versions.push(answerTo(lab).timestamp.signed.version);
  see();
  for (let at = 0; at < 5; at += 1) {
    await lab.parts.director.assign(ONE, at % 2 === 0 ? release : undefined);
    see();
  }
  lab.reopen();
  see();
  lab.clock.ms -= 90 * 86_400_000;
  see();
  lab.reopen();
  see();
  lab.parts.director.forget(ONE);
  see();
  assert.deepEqual(
    versions,
    [...new Set(versions)].toSorted((a, b) => a - b),
  );
});

test('the revision changes with the release, what is said of it, and the roots', async (t) => {
  const lab = new UpdateLab(t);
  const { director, releases } = lab.parts;
  const seen = new Set<string>();
  const assertNew = (): void => {
    const revision = director.revision(ONE);
    assert.ok(!seen.has(revision), revision);
    seen.add(revision);
    assert.equal(director.revision(ONE), revision);
  };
  assertNew();
  await lab.init();
  assertNew();
  const release = await lab.release('1.0.0');
  const before = director.revision(ONE);
  await lab.release('1.1.0');
  assert.equal(director.revision(ONE), before, 'releases of others are no change');
  await director.assign(ONE, release);
  assertNew();
  const custom = { ...release.custom, severity: 'high' as const };
  const others = releases.list().filter(({ id }) => id !== release.id);
  const all = [...others, { ...release, custom }];
  const lives = { nowMs: lab.clock.ms };
  await lab.publish([lineProposal(releases.published, { line: 'thermo', releases: all }, lives)]);
  assertNew();
});

test('a release that people took back is told to nobody any more', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const release = await lab.release('1.0.0');
  const { director, releases } = lab.parts;
  await director.assign(ONE, release);
  const lives = { nowMs: lab.clock.ms };
  await lab.publish([lineProposal(releases.published, { line: 'thermo', releases: [] }, lives)]);
  assert.equal(director.assigned(ONE), undefined);
  assert.equal(answerTo(lab).release, undefined);
  assert.equal(director.assignment(ONE)?.release, 'thermo@1.0.0', 'operators still see it');
});

test('names that are no file of a device give nothing', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const { director } = lab.parts;
  const { version } = answerTo(lab).timestamp.signed;
  for (const name of ['', '..', '2.root.json', `${version + 1}.targets.json`, 'snapshot.json']) {
    assert.equal(director.metadata(ONE, name), undefined, name);
  }
  assert.notEqual(director.metadata(ONE, '1.root.json'), undefined);
  assert.equal(director.metadata(TWO, `${version}.targets.json`), undefined, 'of another device');
});
