/** Walks over every command: what holds for one of them holds for all. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArgs } from 'node:util';
import { usageOf } from './command-entry.ts';
import { isManyArgument } from './command.ts';
import { COMMAND_GROUPS } from './commands/index.ts';
import { EXIT } from './failure.ts';
import { FakeWorld } from './fake-world.ts';
import { NOUNS } from './nouns.ts';

const ENTRIES = COMMAND_GROUPS.flatMap(({ commands }) => commands);
const COMMANDS = await Promise.all(ENTRIES.map(({ load }) => load()));

const [server, device] = await Promise.all([
  import('@holdfast/server'),
  import('@holdfast/device'),
]);

/** The words before the last one of each path: `device`, `device tpm`. */
const NOUN_LIST = [
  ...new Set(
    ENTRIES.flatMap(({ path }) => {
      const words = path.split(' ');
      return words.slice(1).map((_, at) => words.slice(0, at + 1).join(' '));
    }),
  ),
];

/** Programs that run on, and what writes files or secrets for people. */
const DO_NOT_READ = new Set([
  'up',
  'login',
  'completion',
  'device enroll',
  'keys escrow',
  'keys recover',
  'audit prove',
  'audit witness',
  'export readings',
  'export acts',
  'export devices',
]);

describe('the table of commands', () => {
  it('says of each command what the command says of itself', () => {
    const told = ENTRIES.map(({ path, usage, summary }) => ({ path, usage, summary }));
    const own = COMMANDS.map(({ path, summary, arguments: names }) => ({
      path,
      usage: usageOf(path, names),
      summary,
    }));
    assert.deepEqual(told, own);
    assert.equal(new Set(own.map(({ path }) => path)).size, own.length, 'no command twice');
  });

  it('has a text and an example for every noun, and for nothing else', () => {
    assert.deepEqual(Object.keys(NOUNS).toSorted(), NOUN_LIST.toSorted());
  });
});

describe('every command', () => {
  it('offers --json when it reads', () => {
    for (const { path, options } of COMMANDS) {
      assert.ok('json' in options || DO_NOT_READ.has(path), path);
      if ('watch' in options) assert.ok('json' in options, path);
    }
  });

  it('has a summary on one line, and details that fit on a terminal', () => {
    for (const { path, summary, details = '', options } of COMMANDS) {
      assert.match(summary, /^[a-z][^\n]{9,89}[^.\n]$/u, path);
      for (const line of details.split('\n')) assert.ok(line.length <= 92, `${path}: ${line}`);
      for (const [name, { help, value, type }] of Object.entries(options)) {
        assert.match(help, /^[^\n]{4,}[^.\n]$/u, `${path} --${name}`);
        assert.equal(value !== undefined, type === 'string', `${path} --${name} names its value`);
      }
    }
  });

  it('shows its help, with an example that could be typed', async () => {
    for (const { path, examples } of COMMANDS) {
      assert.ok(examples.length > 0, path);
      for (const args of [
        [...path.split(' '), '--help'],
        ['help', ...path.split(' ')],
      ]) {
        const world = new FakeWorld({ hasLocalServer: false });
        assert.equal(await world.run(...args), 0, path);
        for (const example of examples) {
          assert.ok(world.outText.includes(`\n  holdfast ${example}\n`), example);
        }
      }
      for (const example of examples) requireUsable(example, path);
    }
  });
});

describe('every error', () => {
  it('says what, its code, why, and how to fix it', async () => {
    for (const { path, arguments: names = [] } of COMMANDS) {
      const world = new FakeWorld({ hasLocalServer: false });
      assert.equal(await world.run(...path.split(' '), '--frobnicate'), EXIT.usage, path);
      requireExplained(world.errText, path);
      if (!names.some((name) => !name.endsWith('?'))) continue;
      const bare = new FakeWorld({ hasLocalServer: false });
      assert.equal(await bare.run(...path.split(' ')), EXIT.usage, path);
      requireExplained(bare.errText, path);
    }
  });

  it('does so too when there is no server, no file, or nobody to ask', async () => {
    for (const { path, examples } of COMMANDS) {
      if (ASKS_NOBODY.has(path)) continue;
      for (const example of examples) {
        // Other machines are none of a test's business.
        if (/https?:|--server /u.test(example)) continue;
        const world = new FakeWorld({ hasLocalServer: false, server, device });
        const home = process.cwd();
        process.chdir(world.home);
        const code = await world.run(...wordsOf(example)).finally(() => process.chdir(home));
        assert.notEqual(code, EXIT.ok, example);
        requireExplained(world.errText, example);
      }
    }
  });
});

/** What works without a server, and what a test cannot start. */
const ASKS_NOBODY = new Set(['up', 'doctor', 'completion', 'bucket policy']);

function requireExplained(text: string, of: string): void {
  assert.doesNotMatch(text, /E_CLI_DEFECT/u, of);
  const [what = '', ...rows] = text.slice(text.indexOf('error: ')).split(/\n(?= {2}\w)/u);
  assert.match(what, /^error: \S[^]{8,}[.:]/u, of);
  const names = rows.map((row) => /^ {2}(\w+) +\S/u.exec(row)?.[1]);
  // What the server module throws here says why in its one sentence.
  const isFault = /^ {2}code {2}E_(?:MAIN|BACKUP)_/mu.test(text);
  const expected = isFault && !names.includes('why') ? ['code', 'fix'] : ['code', 'why', 'fix'];
  assert.deepEqual(names, expected, `${of}: ${text}`);
}

describe('every noun', () => {
  it('shows its help, with an example that could be typed', async () => {
    for (const noun of NOUN_LIST) {
      const world = new FakeWorld({ hasLocalServer: false });
      assert.equal(await world.run(...noun.split(' '), '--help'), 0, noun);
      const { summary = '', examples = [] } = NOUNS[noun] ?? {};
      assert.match(summary, /^[^\n]{9,79}[^.\n]$/u, noun);
      assert.ok(examples.length > 0, noun);
      for (const example of examples) {
        requireUsable(example, noun);
        if (noun !== 'simulate') assert.ok(world.outText.includes(`\n  holdfast ${example}\n`));
      }
    }
  });
});

/** The words of a command line, as a shell would read it. */
function wordsOf(example: string): string[] {
  const [line = ''] = example.split(/ [|>] /u, 1);
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/gu)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

/** Fails when a command line names no command, or options or arguments that it does not have. */
function requireUsable(example: string, beginning: string): void {
  assert.ok(example.startsWith(beginning), `${example} begins with ${beginning}`);
  const words = wordsOf(example);
  const command = COMMANDS.filter(({ path }) =>
    path.split(' ').every((word, at) => words[at] === word),
  )
    .toSorted((a, b) => b.path.length - a.path.length)
    .at(0);
  assert.ok(command !== undefined, `${example} is a command`);
  const { positionals } = parseArgs({
    args: words.slice(command.path.split(' ').length).map((word) => word.replace(/^-(?=\d)/u, '')),
    options: Object.fromEntries(
      Object.entries(command.options).map(([name, { type, multiple }]) => [
        name,
        { type, multiple: multiple ?? false },
      ]),
    ),
    allowPositionals: true,
    strict: true,
  });
  const names = command.arguments ?? [];
  const needed = names.filter((name) => !name.endsWith('?')).length;
  const isOpen = isManyArgument(names.at(-1));
  assert.ok(positionals.length >= needed, `${example} gives what it needs`);
  assert.ok(isOpen || positionals.length <= names.length, `${example} gives no more than it takes`);
}
