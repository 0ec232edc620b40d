/** The power is cut at every step of an update: the device always comes back. @module */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { UpdateState } from '@holdfast/firmware';
import fc from 'fast-check';
import {
  AgentMachine,
  SLOT_KINDS,
  type SlotKind,
  V1,
  V2,
  releaseOf,
  sha256,
} from '../../test-support/agent-machine.ts';
import { type Cut, CuttableDisk, PowerCut } from '../../test-support/cuttable-disk.ts';

/** How version 2 behaves. */
type Behaviour = 'good' | 'crashes' | 'offline';

interface Ending {
  readonly state: UpdateState;
  readonly counter: number;
  readonly running: string;
  /** Of the first boot, when nothing was cut in it. */
  readonly steps: number;
  readonly boots: number;
}

const BOOTS_MAX = 25;
const UPDATE = { release: releaseOf(V2, '2.0.0', 2) };
const IMAGES = new Set([sha256(V1), sha256(V2)]);

/** Lives through boots, each with its own cut, until the update has ended. */
async function live(machine: AgentMachine, behaviour: Behaviour, cuts: readonly Cut[]) {
  let steps = 0;
  for (let boots = 1; boots <= BOOTS_MAX; boots += 1) {
    const disk = new CuttableDisk(cuts[boots - 1]);
    try {
      const slot = machine.boot(disk);
      const image = machine.imageIn(slot) ?? Buffer.alloc(0);
      assert.ok(IMAGES.has(sha256(image)), `boot ${boots} starts an image that is not whole`);
      const isNew = sha256(image) === sha256(V2);
      if (isNew && behaviour === 'crashes') continue;
      const installer = machine.installer(disk, { isOnline: !isNew || behaviour === 'good' });
      let progress = await installer.resume();
      const { state } = installer.update;
      if (progress !== 'restarting' && (state === 'idle' || state === 'downloading')) {
        progress = await installer.begin(UPDATE, 'r1');
      }
      steps += disk.steps;
      if (progress !== 'resting') continue;
      const { record } = machine.journal(new CuttableDisk());
      return {
        state: installer.update.state,
        counter: record.confirmed.counter,
        running: sha256(machine.imageIn(machine.slots(disk).running()) ?? Buffer.alloc(0)),
        steps,
        boots,
      } satisfies Ending;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
  }
  return assert.fail('the update does not end');
}

/** What runs in the end is what the journal says, and its counter counts. */
function requireEnding(ending: Ending, behaviour: Behaviour, where: string): void {
  const { state, counter, running } = ending;
  if (state === 'confirmed') {
    assert.equal(behaviour, 'good', where);
    assert.deepEqual([running, counter], [sha256(V2), 2], where);
  } else {
    assert.ok(state === 'reverted' || state === 'failed', `${where}: ${state}`);
    assert.deepEqual([running, counter], [sha256(V1), 1], where);
  }
}

for (const kind of SLOT_KINDS) {
  for (const behaviour of ['good', 'crashes', 'offline'] as const) {
    test(`${kind}: version 2 ${behaviour}; the power is cut at every step`, async (t) => {
      const folder = memoryFolder(t);
      const whole = await live(new AgentMachine(join(folder, 'whole'), kind), behaviour, []);
      assert.equal(whole.state, behaviour === 'good' ? 'confirmed' : 'reverted');
      requireEnding(whole, behaviour, 'without a cut');
      let runs = 0;
      for (const how of howsOf(kind)) {
        for (let at = 0; at < whole.steps; at += 1) {
          for (const boot of [0, 1, 2]) {
            const cuts: Cut[] = [];
            for (let n = 0; n < boot; n += 1) cuts.push({ at: Number.POSITIVE_INFINITY, how });
            cuts.push({ at, how });
            const machine = new AgentMachine(join(folder, `${how}-${at}-${boot}`), kind);
            const ending = await live(machine, behaviour, cuts);
            requireEnding(ending, behaviour, `${how} ${at} in boot ${boot}`);
            if (behaviour === 'good' && how !== 'torn') assert.equal(ending.state, 'confirmed');
            runs += 1;
          }
        }
      }
      t.diagnostic(`${runs} runs, ${whole.steps} steps each`);
    });
  }

  test(`${kind}: the power is cut again and again`, async (t) => {
    const folder = memoryFolder(t);
    let run = 0;
    const cut = fc.record({ at: fc.nat(30), how: fc.constantFrom(...howsOf(kind)) });
    const behaviours = fc.constantFrom<Behaviour>('good', 'crashes', 'offline');
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { maxLength: 8 }), behaviours, async (cuts, behaviour) => {
        run += 1;
        const machine = new AgentMachine(join(folder, String(run)), kind);
        requireEnding(await live(machine, behaviour, cuts), behaviour, JSON.stringify(cuts));
      }),
      { numRuns: 100 },
    );
  });
}

/** A single copy of an environment that a file system tears is lost, and so is U-Boot. */
function howsOf(kind: SlotKind): readonly Cut['how'][] {
  return kind === 'u-boot' ? ['before', 'after'] : ['before', 'after', 'torn'];
}

/** Thousands of small files are written, of which none has to outlive the test. */
function memoryFolder(t: TestContext): string {
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = mkdtempSync(join(base, 'holdfast-agent-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
