/** The command `holdfast-agent` as a person meets it, without a server. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testFolder } from '../../test-support/test-bundle.ts';
import { lockFolder } from '../store/folder-lock.ts';
import { runAgentCommand } from './agent-command.ts';
import { agentDisk } from './agent-disk.ts';
import { DirectorySlots } from './directory-slots.ts';
import { UpdateJournal } from './update-journal.ts';

const SHA = 'a'.repeat(64);

class Bench {
  readonly folder: string;
  out = '';
  err = '';

  constructor(t: TestContext) {
    this.folder = testFolder(t);
    const config = {
      version: 1,
      bundle: 'bundle',
      state: 'state',
      hardware: 'thermo-a',
      roots: { image: 'i.json', director: 'd.json' },
      slots: { kind: 'directory', root: 'slots' },
      image: { release: 'thermo@1.0.0', counter: 4 },
    };
    writeFileSync(join(this.folder, 'agent.json'), JSON.stringify(config));
    mkdirSync(join(this.folder, 'state'));
  }

  get slots(): DirectorySlots {
    return new DirectorySlots(join(this.folder, 'slots'));
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  /** What it printed. */
  async run(code: number, ...args: string[]): Promise<string> {
    this.out = '';
    this.err = '';
    const at = args.indexOf('--') < 0 ? args.length : args.indexOf('--');
    const all = args.toSpliced(at, 0, '--config', join(this.folder, 'agent.json'));
    const found = await runAgentCommand(all, {
      print: (text) => (this.out += text),
      complain: (text) => (this.err += text),
      say: () => {},
      onStopSignal: () => {},
      send: undefined,
    });
    assert.equal(found, code, this.err);
    return this.out + this.err;
  }
}

test('--help names every command', async (t) => {
  const text = await new Bench(t).run(0, '--help');
  for (const verb of ['run', 'status', 'check', 'install', 'confirm']) {
    assert.match(text, new RegExp(`holdfast-agent ${verb}`, 'u'));
  }
});

test('mistakes have the exit code 2, and a way out', async (t) => {
  const bench = new Bench(t);
  for (const args of [['stat'], ['status', 'now'], ['--colour'], ['run'], []]) {
    assert.match(await bench.run(2, ...args), /error: .*\n {2}code {2}E_DEVICE_AGENT_USAGE/u);
  }
});

test('the status before any update', async (t) => {
  assert.equal(
    await new Bench(t).run(0, 'status'),
    'Confirmed  thermo@1.0.0, security counter 4\n' +
      'Slots      a runs; a is confirmed\n' +
      'Update     none so far\n' +
      'Agent      does not run\n',
  );
});

test('the status after a revert says why', async (t) => {
  const bench = new Bench(t);
  const journal = new UpdateJournal(agentDisk, {
    path: join(bench.state, 'journal'),
    factory: { release: 'thermo@1.0.0', counter: 4 },
  });
  const image = { release: 'thermo@2.0.0', sha256: SHA, length: 1, counter: 5 };
  const update = { image, slot: 'b', couldConnect: true, restarts: 1 } as const;
  journal.enter({ ...update, state: 'reverted', why: 'the check "answers" does not pass' });
  const text = await bench.run(0, 'status');
  assert.match(text, /^Update {5}thermo@2\.0\.0: reverted$/mu);
  assert.match(text, /^Why {8}the check "answers" does not pass$/mu);
  assert.match(text, /^Reports {4}2 wait for the server$/mu);
  const json: unknown = JSON.parse(await bench.run(0, 'status', '--json'));
  assert.ok(typeof json === 'object' && json !== null && 'record' in json);
});

test('a trial is abandoned when it goes on and no agent runs', async (t) => {
  const bench = new Bench(t);
  await bench.run(1, 'status', '--abandoned');
  bench.slots.markForTrial(2);
  await bench.run(1, 'status', '--abandoned');
  bench.slots.start();
  await bench.run(0, 'status', '--abandoned');
  const unlock = lockFolder(bench.state);
  await bench.run(1, 'status', '--abandoned');
  unlock();
});

test('confirm and install are handed to the agent that runs', async (t) => {
  const bench = new Bench(t);
  assert.match(await bench.run(0, 'confirm'), /nothing to confirm/u);
  bench.slots.markForTrial(2);
  bench.slots.start();
  assert.match(await bench.run(1, 'confirm'), /no agent runs/u);
  const unlock = lockFolder(bench.state);
  t.after(unlock);
  await bench.run(0, 'confirm');
  await bench.run(0, 'install');
  for (const name of ['confirm.request', 'wake.request']) {
    assert.equal(readFileSync(join(bench.state, name), 'utf8'), '');
  }
});
