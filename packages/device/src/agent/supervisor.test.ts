/** The supervisor with real programs: it comes back whether or not an agent lives. */
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testFolder } from '../../test-support/test-bundle.ts';
import { systemClock } from '../clock.ts';
import { DirectorySlots } from './directory-slots.ts';
import { startProcess } from './start-process.ts';
import { type AgentWord, type SupervisedProcess, Supervisor } from './supervisor.ts';

const STAYS = '#!/bin/sh\nexec sleep 600\n';
const ENDS = '#!/bin/sh\nexit 3\n';

/** Programs in two slots under a supervisor, and an agent that does what a test says. */
class Bench {
  readonly slots: DirectorySlots;
  readonly supervisor: Supervisor;
  readonly lines: string[] = [];
  readonly starts: string[] = [];
  agents = 0;
  agentsEnded = 0;
  say: (word: AgentWord) => void = () => {};

  constructor(
    t: TestContext,
    { next, confirmWithinMs = 600_000 }: { next: string; confirmWithinMs?: number },
  ) {
    this.slots = new DirectorySlots(join(testFolder(t), 'slots'));
    writeFileSync(this.slots.imagePath('a'), STAYS, { mode: 0o755 });
    writeFileSync(this.slots.imagePath('b'), next, { mode: 0o755 });
    this.supervisor = new Supervisor({
      slots: this.slots,
      clock: systemClock,
      random: () => 0,
      confirmWithinMs,
      startProgram: (slot) => {
        this.starts.push(slot);
        return startProcess({ command: [join(this.slots.root, 'current', 'image')] });
      },
      startAgent: (hear) => this.#startAgent(hear),
      say: (line) => this.lines.push(line),
    });
    const done = this.supervisor.run();
    t.after(async () => {
      this.supervisor.stop();
      await done;
      assert.equal(this.agents, this.agentsEnded, 'no agent outlives its supervisor');
    });
  }

  async until(look: () => boolean): Promise<void> {
    for (let n = 0; n < 1_500 && !look(); n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(look(), this.lines.join('\n'));
  }

  #startAgent(hear: (word: AgentWord) => void): SupervisedProcess {
    this.agents += 1;
    this.say = hear;
    let end = (): void => {};
    const ended = new Promise<string>((resolve) => {
      end = () => resolve('stopped');
    });
    return {
      ended,
      stop: () => {
        this.agentsEnded += 1;
        end();
        return Promise.resolve();
      },
    };
  }
}

test('a new program that ends is started as often as it has tries, then the one before', async (t) => {
  const bench = new Bench(t, { next: ENDS });
  await bench.until(() => bench.starts.length === 1);
  bench.slots.markForTrial(2);
  bench.say('restart');
  await bench.until(() => bench.starts.length === 4);
  assert.deepEqual(bench.starts, ['a', 'b', 'b', 'a']);
  assert.equal(readlinkSync(join(bench.slots.root, 'current')), 'a');
});

test('one that nobody confirms is ended, also when the agent never says a word', async (t) => {
  const bench = new Bench(t, { next: STAYS, confirmWithinMs: 100 });
  await bench.until(() => bench.starts.length === 1);
  bench.slots.markForTrial(1);
  bench.say('restart');
  await bench.until(() => bench.starts.length === 3);
  assert.deepEqual(bench.starts, ['a', 'b', 'a']);
  assert.ok(bench.lines.some((line) => line.includes('not confirmed in time')));
});

test('one that is confirmed stays', async (t) => {
  const bench = new Bench(t, { next: STAYS, confirmWithinMs: 2_000 });
  await bench.until(() => bench.starts.length === 1);
  bench.slots.markForTrial(1);
  bench.say('restart');
  await bench.until(() => bench.starts.length === 2);
  bench.slots.confirm();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.deepEqual(bench.starts, ['a', 'b']);
});

test('an agent that waits for the server keeps the trial going', async (t) => {
  const bench = new Bench(t, { next: STAYS, confirmWithinMs: 2_000 });
  await bench.until(() => bench.starts.length === 1);
  bench.slots.markForTrial(1);
  bench.say('restart');
  await bench.until(() => bench.starts.length === 2);
  bench.say('waiting');
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.deepEqual(bench.starts, ['a', 'b']);
});

test('a confirmed program that ends is started again, and the agent goes on', async (t) => {
  const bench = new Bench(t, { next: ENDS });
  writeFileSync(bench.slots.imagePath('a'), ENDS, { mode: 0o755 });
  bench.say('restart');
  await bench.until(() => bench.starts.length >= 3);
  assert.ok(bench.starts.every((slot) => slot === 'a'));
  assert.ok(bench.agents <= 2);
});

test('the tries are on the disk before the program starts', async (t) => {
  const bench = new Bench(t, { next: STAYS });
  await bench.until(() => bench.starts.length === 1);
  bench.slots.markForTrial(2);
  bench.say('restart');
  await bench.until(() => bench.starts.length === 2);
  assert.equal(bench.slots.boot().tries, 1);
  assert.match(readFileSync(join(bench.slots.root, 'boot.1'), 'utf8'), /tries=1/u);
});
