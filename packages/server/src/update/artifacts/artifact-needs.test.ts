/** What needs an artifact: whatever somebody may still ask for, and nothing besides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Release, UPDATE_STATES } from '@holdfast/firmware';
import fc from 'fast-check';
import { RELEASE_FILE_KINDS } from '../repository/release-files.ts';
import { ArtifactNeeds, type ArtifactUses, isRemovable } from './artifact-needs.ts';
import { RECENT_UPLOAD_MS } from './limits.ts';

const NOW_MS = Date.UTC(2026, 10, 21);
const NONE: ArtifactUses = {
  nowMs: NOW_MS,
  published: [],
  waiting: [],
  ever: [],
  assignments: [],
  reports: [],
  rollouts: new Set(),
  advisories: undefined,
};
const OLD_MS = NOW_MS - RECENT_UPLOAD_MS;

function release(id: string, files: Partial<Release['custom']> & { image: string }): Release {
  const { image: sha256, ...custom } = files;
  const facts = { line: 'a', version: '1', hardware: ['a'], counter: 1 };
  return { id, path: id, length: 1, sha256, custom: { ...facts, ...custom } };
}

function needsOf(uses: Partial<ArtifactUses>, sha256: string, storedAtMs = OLD_MS): string[] {
  const { needs } = new ArtifactNeeds({ ...NONE, ...uses }).of({ sha256, storedAtMs });
  return needs.map(({ code }) => code);
}

test('each reason alone keeps an artifact, and its end lets it go', () => {
  const file = { sha256: 'x', length: 1 };
  const of = release('a@1', {
    image: 'image',
    deltas: [{ from: 'old', sha256: 'delta', length: 1 }],
    sbom: { ...file, sha256: 'sbom' },
    suit: { ...file, sha256: 'suit' },
  });
  for (const sha256 of ['image', 'delta', 'sbom', 'suit']) {
    assert.deepEqual(needsOf({ published: [of] }, sha256), ['published'], sha256);
    assert.deepEqual(needsOf({ waiting: [of] }, sha256), ['waiting'], sha256);
    assert.deepEqual(needsOf({ published: [of], waiting: [of] }, sha256), ['published'], sha256);
    assert.deepEqual(needsOf({}, sha256), [], sha256);
  }
  assert.deepEqual(needsOf({ published: [of] }, 'old'), ['delta-source']);
  assert.deepEqual(needsOf({ waiting: [of] }, 'old'), ['delta-source']);
  const files = RELEASE_FILE_KINDS.map((kind) => ({ sha256: kind, kind }));
  const ever = [{ id: 'a@1', files }];
  for (const sha256 of RELEASE_FILE_KINDS) {
    assert.deepEqual(needsOf({ ever }, sha256), [], `${sha256} of what was taken back`);
    assert.deepEqual(needsOf({ ever, rollouts: new Set(['a@1']) }, sha256), ['rollout']);
    const assignments = [{ release: 'a@1', sha256: 'image' }];
    assert.deepEqual(needsOf({ ever, assignments }, sha256), ['assigned']);
    for (const state of UPDATE_STATES) {
      const isOver = state === 'idle' || state === 'reverted' || state === 'failed';
      const runs = state === 'confirmed' && sha256 === 'image' ? ['running'] : [];
      const expected = isOver || state === 'confirmed' ? runs : ['installing'];
      const reports = [{ release: 'a@1', state }];
      assert.deepEqual(needsOf({ ever, reports }, sha256), expected, `${state} ${sha256}`);
    }
    const reports = [{ release: '', state: 'idle' as const, running: 'image' }];
    const isImage = sha256 === 'image';
    assert.deepEqual(needsOf({ ever, reports }, sha256), isImage ? ['running'] : []);
  }
  assert.deepEqual(needsOf({ advisories: 'list' }, 'list'), ['advisories']);
});

test('what came lately goes only when somebody names it', () => {
  assert.deepEqual(needsOf({}, 'x', OLD_MS), []);
  assert.deepEqual(needsOf({}, 'x', OLD_MS + 1), ['recent']);
  assert.deepEqual(needsOf({}, 'x', NOW_MS + 1), ['recent'], 'the clock was set back');
  const judge = (uses: Partial<ArtifactUses>): boolean =>
    isRemovable(new ArtifactNeeds({ ...NONE, ...uses }).of({ sha256: 'x', storedAtMs: NOW_MS }));
  assert.equal(judge({}), true);
  assert.equal(judge({ waiting: [release('a@1', { image: 'x' })] }), false);
});

test('each release that names an artifact is told, at the stage that counts', () => {
  const of = release('a@1', { image: 'x' });
  const ever = ['a@1', 'a@0'].map((id) => ({
    id,
    files: [{ sha256: 'x', kind: 'image' as const }],
  }));
  const uses = { ...NONE, published: [of], waiting: [of, release('a@2', { image: 'x' })], ever };
  const { namedBy } = new ArtifactNeeds(uses).of({ sha256: 'x', storedAtMs: 0 });
  assert.deepEqual(
    namedBy.map(({ id, stage }) => `${id} ${stage}`),
    ['a@1 published', 'a@2 waiting', 'a@0 retired'],
  );
});

const hash = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const id = fc.constantFrom('l@1', 'l@2', 'l@3', 'l@4');
const releases = fc.uniqueArray(
  fc
    .record({
      id,
      image: hash,
      sbom: fc.option(hash, { nil: undefined }),
      deltas: fc.array(fc.record({ from: hash, sha256: hash, length: fc.constant(1) })),
    })
    .map(({ id: of, image, sbom, deltas }) =>
      release(of, { image, deltas, ...(sbom && { sbom: { sha256: sbom, length: 1 } }) }),
    ),
  { selector: (one) => one.id, maxLength: 4 },
);
const world = fc.record({
  published: releases,
  waiting: releases,
  ever: fc.array(
    fc.record({
      id,
      files: fc.array(fc.record({ sha256: hash, kind: fc.constantFrom(...RELEASE_FILE_KINDS) })),
    }),
  ),
  assignments: fc.array(fc.record({ release: id, sha256: hash })),
  reports: fc.array(
    fc.record({
      release: id,
      state: fc.constantFrom(...UPDATE_STATES),
      running: fc.option(hash, { nil: undefined }),
    }),
  ),
  rollouts: fc.array(id).map((ids) => new Set(ids)),
  advisories: fc.option(hash, { nil: undefined }),
});

test('whatever a device or a signer may still ask for is needed', () => {
  fc.assert(
    fc.property(world, hash, fc.nat(2 * RECENT_UPLOAD_MS), (uses, sha256, ageMs) => {
      const artifact = { sha256, storedAtMs: NOW_MS - ageMs };
      const { needs } = new ArtifactNeeds({ ...NONE, ...uses }).of(artifact);
      const named = [...uses.published, ...uses.waiting].some(
        ({ sha256: image, custom: { sbom, deltas = [] } }) =>
          [image, sbom?.sha256, ...deltas.flatMap((one) => [one.sha256, one.from])].includes(
            sha256,
          ),
      );
      const ever = uses.ever.filter(({ files }) => files.some((file) => file.sha256 === sha256));
      const inUse =
        uses.assignments.some((one) => one.sha256 === sha256) ||
        uses.reports.some(({ running }) => running === sha256) ||
        ever.some((one) => uses.rollouts.has(one.id)) ||
        ever.some((one) => uses.assignments.some(({ release: of }) => of === one.id)) ||
        ever.some(({ id: of }) =>
          uses.reports.some(({ release: at, state }) => at === of && state === 'downloading'),
        );
      if (named || inUse || uses.advisories === sha256) {
        assert.equal(isRemovable({ needs }), false);
      }
      // And what nobody has ever named goes once it is old.
      const isKnown = named || inUse || ever.length > 0 || uses.advisories === sha256;
      if (!isKnown) assert.equal(needs.length === 0, ageMs >= RECENT_UPLOAD_MS);
    }),
    { numRuns: 2_000 },
  );
});

test('nothing that is needed is needed less because something else needs it as well', () => {
  fc.assert(
    fc.property(world, world, hash, (one, other, sha256) => {
      const both: ArtifactUses = {
        ...NONE,
        ...one,
        ever: [...one.ever, ...other.ever],
        assignments: [...one.assignments, ...other.assignments],
        reports: [...one.reports, ...other.reports],
        rollouts: new Set([...one.rollouts, ...other.rollouts]),
      };
      const artifact = { sha256, storedAtMs: OLD_MS };
      const alone = new ArtifactNeeds({ ...NONE, ...one }).of(artifact).needs;
      const { needs } = new ArtifactNeeds(both).of(artifact);
      const together = new Set(needs.map(({ code }) => code));
      for (const { code } of alone) assert.ok(together.has(code), code);
    }),
  );
});
