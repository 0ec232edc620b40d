import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  RemoveArtifactsRequest,
  RemovedArtifacts,
  StoredArtifact,
  StoredArtifactList,
} from '@holdfast/protocol/api';
import { FakeWorld, type FakeWorldOptions } from '../fake-world.ts';

const artifact = (sha256: string, more: Partial<StoredArtifact> = {}): StoredArtifact => ({
  sha256,
  length: 1_500_000,
  storedAt: '2026-10-01T04:00:00.000Z',
  by: 'person:ann',
  isWhole: true,
  releases: [{ id: 'thermo@1.0.0', kind: 'image', stage: 'retired' }],
  needs: [],
  ...more,
});

const OLD = artifact('ab'.repeat(32));
const NEEDED = artifact('cd'.repeat(32), {
  releases: [
    { id: 'thermo@2.0.0', kind: 'delta', stage: 'published' },
    { id: 'thermo@2.0.1', kind: 'delta', stage: 'published' },
  ],
  needs: [{ code: 'published', why: 'it is in the release thermo@2.0.0' }],
});
const NO_STRAYS = { uploads: 0, bytes: 0 };

function listOf(...artifacts: StoredArtifact[]): StoredArtifactList {
  const total = (all: StoredArtifact[]) => ({
    count: all.length,
    bytes: all.reduce((sum, { length }) => sum + length, 0),
  });
  return {
    artifacts,
    stored: total(artifacts),
    unneeded: total(artifacts.filter(({ needs }) => needs.length === 0)),
    strays: NO_STRAYS,
    removing: 0,
  };
}

/** A server that removes what nothing needs. */
function worldOf(list: StoredArtifactList, options: Omit<FakeWorldOptions, 'client'> = {}) {
  const asked: RemoveArtifactsRequest[] = [];
  const client = {
    storedArtifacts: () => Promise.resolve(list),
    removeArtifacts: (request: RemoveArtifactsRequest): Promise<RemovedArtifacts> => {
      asked.push(request);
      const { artifacts = [], unneeded, strays, dryRun } = request;
      const goes = list.artifacts.filter(
        ({ sha256, needs }) => artifacts.includes(sha256) || (unneeded && needs.length === 0),
      );
      const { stored: removed } = listOf(...goes);
      const stays = list.artifacts.filter((one) => dryRun === true && !goes.includes(one));
      const own = strays === true ? list.strays : NO_STRAYS;
      return Promise.resolve({ artifacts: goes, removed, strays: own, stays });
    },
  };
  return { world: new FakeWorld({ ...options, client }), asked };
}

test('fw artifact list says what needs each of them, and what could go', async () => {
  const { world } = worldOf({
    ...listOf(OLD, NEEDED, artifact('ef'.repeat(32), { releases: [], isWhole: false })),
    strays: { uploads: 1, bytes: 512 },
    removing: 2,
  });
  assert.equal(await world.run('fw', 'artifact', 'list'), 0, world.errText);
  assert.match(
    world.outText,
    /abababababab +1\.5 MB .* thermo@1\.0\.0 \(retired\) +nothing needs/u,
  );
  assert.match(world.outText, /delta of thermo@2\.0\.0 and 1 more +it is in the release/u);
  assert.match(world.outText, /no release +chunks are missing/u);
  assert.match(world.outText, /3 artifacts, 4\.5 MB\. 2 artifacts, 3\.0 MB, could go/u);
  assert.match(world.outText, /1 upload that this server knows nothing of, 512 bytes/u);
  assert.match(world.outText, /chunks of 2 uploads are being removed/u);
  const { world: none } = worldOf(listOf());
  assert.equal(await none.run('fw', 'artifact', 'list'), 0);
  assert.match(none.outText, /No artifact is stored/u);
  const { world: json } = worldOf(listOf(OLD));
  await json.run('fw', 'artifact', 'list', '--json');
  assert.deepEqual(JSON.parse(json.outText), listOf(OLD));
});

test('a dry run tells what would go and why the rest stays, and asks nobody', async () => {
  const { world, asked } = worldOf(listOf(OLD, NEEDED));
  assert.equal(await world.run('fw', 'artifact', 'remove', '--unneeded', '--dry-run'), 0);
  assert.deepEqual(
    asked.map(({ dryRun }) => dryRun),
    [true],
  );
  assert.match(world.outText, /would remove 1 artifact, 1\.5 MB\. Nothing was done/u);
  assert.match(world.outText, /What stays, and why:\n +cdcdcdcdcdcd .* thermo@2\.0\.0\n/u);
});

test('it asks at a terminal, wants --yes in a script, and removes what it has shown', async () => {
  const command = ['fw', 'artifact', 'remove', '--unneeded', '--reason', 'disk'] as const;
  const script = worldOf(listOf(OLD, NEEDED));
  assert.equal(await script.world.run(...command), 1);
  assert.match(script.world.errText, /E_CLI_NOT_CONFIRMED/u);
  const no = worldOf(listOf(OLD, NEEDED), { isTty: true, answers: ['2'] });
  assert.equal(await no.world.run(...command), 1);
  assert.equal(no.asked.length, 1);
  const yes = worldOf(listOf(OLD, NEEDED), { isTty: true, answers: ['1'] });
  assert.equal(await yes.world.run(...command), 0, yes.world.errText);
  assert.match(yes.world.outText, /Removed 1 artifact, 1\.5 MB/u);
  assert.deepEqual(yes.asked.at(-1), {
    artifacts: [OLD.sha256],
    strays: false,
    reason: 'disk',
  });
  const none = worldOf(listOf(NEEDED));
  assert.equal(await none.world.run(...command), 0);
  assert.match(none.world.outText, /Nothing to remove/u);
});

test('artifacts are named by their first characters, when these name one', async () => {
  const twin = artifact(`abababab${'0'.repeat(56)}`);
  const remove = async (...args: string[]) => {
    const { world, asked } = worldOf(listOf(OLD, twin));
    const exit = await world.run('fw', 'artifact', 'remove', ...args, '--yes');
    return { exit, text: world.errText, asked };
  };
  const one = await remove('ababababa');
  assert.deepEqual([one.exit, one.asked.at(-1)?.artifacts], [0, [OLD.sha256]]);
  assert.match((await remove('abababab')).text, /names several/u);
  assert.match((await remove('00000000')).text, /There is no artifact/u);
  assert.match((await remove('abababa')).text, /does not name an artifact/u);
  assert.match((await remove()).text, /--unneeded or --strays/u);
});

test('more than one request takes are removed in several, strays with the first', async () => {
  const many = Array.from({ length: 300 }, (_, at) => artifact(String(at).padStart(64, '0')));
  const { world, asked } = worldOf({ ...listOf(...many), strays: { uploads: 1, bytes: 7 } });
  const exit = await world.run('fw', 'artifact', 'remove', '--unneeded', '--strays', '--yes');
  assert.equal(exit, 0, world.errText);
  assert.deepEqual(
    asked.map(({ artifacts = [], strays }) => [artifacts.length, strays]),
    [
      [0, true],
      [256, true],
      [44, false],
    ],
  );
  assert.match(world.outText, /Removed 300 artifacts, 450\.0 MB, and the chunks of 1 upload/u);
});
