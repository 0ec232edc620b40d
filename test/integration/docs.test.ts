/** The documentation holds together: its links lead somewhere, and every page can be found. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, test } from 'node:test';
import { type Page, anchorOf, readPage, runPage, temporaryFolder } from '@holdfast/testkit';
import type { Command } from '../../packages/cli/src/command.ts';
import { COMMAND_GROUPS } from '../../packages/cli/src/commands/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const ENTRANCES = ['README.md', 'docs/README.md'];
const NOT_OURS = ['**/node_modules/**', '**/dist/**', 'data/**'];

const pages = new Map<string, Page>(
  globSync('**/*.md', { cwd: ROOT, exclude: NOT_OURS }).map((path) => [
    path,
    readPage(readFileSync(join(ROOT, path), 'utf8')),
  ]),
);

/** Where a link leads, from the root of the repository; undefined when it leads out of it. */
function targetOf(from: string, link: string): { path: string; anchor: string } | undefined {
  if (/^[a-z][a-z+.-]*:/iu.test(link)) return undefined;
  const [file = '', anchor = ''] = link.split('#', 2);
  const path = file === '' ? from : normalize(join(dirname(from), decodeURI(file)));
  return { path, anchor };
}

/** What is wrong with a link; undefined when nothing is. */
function problemOf(from: string, link: string): string | undefined {
  const target = targetOf(from, link);
  if (target === undefined) return /^(?:https|mailto):/u.test(link) ? undefined : 'not by https:';
  const file = join(ROOT, target.path);
  if (relative(ROOT, file).startsWith('..')) return 'it leads out of the repository';
  if (!existsSync(file)) return 'there is no such file';
  if (target.anchor === '') return undefined;
  const page = pages.get(target.path);
  if (page === undefined) return statSync(file).isFile() ? undefined : 'a folder has no anchors';
  return page.anchors.has(target.anchor) ? undefined : 'the page has no such heading';
}

/** All pages that a reader finds from the entrances, by following links. */
function reachable(): Set<string> {
  const seen = new Set<string>();
  const queue = [...ENTRANCES];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const link of pages.get(path)?.links ?? []) {
      const target = targetOf(path, link);
      if (target !== undefined && pages.has(target.path)) queue.push(target.path);
    }
  }
  return seen;
}

describe('the documentation', () => {
  test('has no link and no anchor that leads nowhere', () => {
    assert.ok(pages.size > 30, `only ${pages.size} pages were found`);
    const problems = [...pages].flatMap(([path, { links }]) =>
      links.flatMap((link) => {
        const problem = problemOf(path, link);
        return problem === undefined ? [] : [`${path}: ${link}: ${problem}`];
      }),
    );
    assert.deepEqual(problems, []);
  });

  test('has no page that is not found from the README or the index', () => {
    const found = reachable();
    assert.deepEqual(
      [...pages.keys()].filter((path) => !found.has(path)),
      [],
    );
  });

  test('names files of the repository that are there', () => {
    const named =
      /`((?:bench|docs|examples|packages|test|tools)\/[\w./-]+\.(?:c|cedar|h|md|py|tsx?))`/gu;
    const missing = [...pages.keys()].flatMap((path) =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(named)]
        .filter(([, file = '']) => !existsSync(join(ROOT, file)))
        .map(([, file = '']) => `${path}: ${file}`),
    );
    assert.deepEqual(missing, []);
  });

  test('is named rightly where programs name it', () => {
    const sources = globSync(['packages/**/*.{ts,tsx}', 'tools/*.ts', 'examples/**/*.ts'], {
      cwd: ROOT,
      exclude: NOT_OURS,
    });
    const missing = sources.flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const named = text.matchAll(/\bdocs\/(?:concepts|guides|internals|reference)\/[\w-]+\.md/gu);
      return [...named]
        .filter(([name]) => !existsSync(join(ROOT, name)))
        .map(([name]) => `${path}: ${name}`);
    });
    assert.deepEqual(missing, []);
  });
});

const commands = new Map<string, Command>(
  await Promise.all(
    COMMAND_GROUPS.flatMap(({ commands }) => commands).map(
      async ({ path, load }) => [path, await load()] as const,
    ),
  ),
);
const NOUNS = new Set([...commands.keys()].map((path) => path.split(' ')[0]));
/** What every command takes. */
const COMMON_OPTIONS = new Set(['help', 'no-color', 'version']);

/** The command lines of `holdfast` on a page, without the program's own name. */
function commandLines(markdown: string): string[] {
  const { blocks } = readPage(markdown);
  const shell = blocks.filter(({ language }) => /^(?:|sh|bash|console)$/u.test(language));
  const lines = shell.flatMap(({ text }) =>
    text
      .replaceAll(/\s*\\\n\s*/gu, ' ')
      .split(/\n|\$\(|[|;&]/u)
      .map((line) => line.replace(/(?:^|\s)#.*$/u, '').trim()),
  );
  const prose = markdown.replaceAll(/^ *```[^]*?^ *```$/gmu, '');
  const inline = [...prose.matchAll(/`([^`]+)`/gu)].map(([, code = '']) =>
    code.replaceAll(/\s+/gu, ' '),
  );
  return [...lines, ...inline].flatMap((line) => {
    const found = /^(?:\$ )?(?:npx )?holdfast (?<rest>[a-z].*)$/u.exec(line)?.groups?.['rest'];
    return found === undefined || found.includes('…') ? [] : [found.replace(/ [<>].*$/u, '')];
  });
}

/** What is wrong with a command line; undefined when nothing is. */
function commandProblem(line: string): string | undefined {
  const words = line.split(/\s+/u);
  const path = [3, 2, 1]
    .map((count) => words.slice(0, count).join(' '))
    .find((it) => commands.has(it));
  // A noun alone is a way of speaking, or asks for its help.
  const isNoun = NOUNS.has(words[0]) && (words.length === 1 || words[1]?.startsWith('-') === true);
  const command = path === undefined ? undefined : commands.get(path);
  if (command === undefined) return isNoun ? undefined : 'there is no such command';
  const given = [...line.matchAll(/(?:^|\s)--(?<name>[a-z][\w-]*)/gu)].map(
    ({ groups }) => groups?.['name'],
  );
  const unknown = given.find(
    (name = '') => !Object.hasOwn(command.options, name) && !COMMON_OPTIONS.has(name),
  );
  return unknown === undefined ? undefined : `it has no option --${unknown}`;
}

describe('the commands of the documentation', () => {
  test('are commands of ours, with options that they have', () => {
    let count = 0;
    const problems = [...pages.keys()].flatMap((path) =>
      commandLines(readFileSync(join(ROOT, path), 'utf8')).flatMap((line) => {
        count += 1;
        const problem = commandProblem(line);
        return problem === undefined ? [] : [`${path}: holdfast ${line}: ${problem}`];
      }),
    );
    assert.ok(count > 200, `only ${count} commands were found`);
    assert.deepEqual(problems, []);
  });

  test('so are those that the console and the server tell people', () => {
    const sources = ['packages/console/src', 'packages/server/src/operate/overview'].flatMap(
      (folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: ROOT, exclude: ['**/*.test.ts'] }),
    );
    let count = 0;
    const problems = sources.flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const found = text.matchAll(/(?:`|'|>|: |npx |n)holdfast (?<rest>[a-z][^\n\\`'"<{$]*)/gu);
      return [...found].flatMap(({ groups: { rest = '' } = {} }) => {
        count += 1;
        const problem = commandProblem(rest.trim().replace(/[.:;,]$/u, ''));
        return problem === undefined ? [] : [`${path}: holdfast ${rest}: ${problem}`];
      });
    });
    assert.ok(count > 15, `only ${count} commands were found`);
    assert.deepEqual(problems, []);
  });

  test('would be found if they were not', () => {
    assert.equal(commandProblem('device ad pump-1'), 'there is no such command');
    assert.equal(commandProblem('device add pump-1 --klass sensor'), 'it has no option --klass');
    assert.deepEqual(
      commandLines('```sh\nnpx holdfast up --host a \\\n  --data b # c\n```\n`holdfast pin`'),
      ['up --host a --data b', 'pin'],
    );
  });
});

describe('the runner of pages', () => {
  const page = (mark: string, command: string): string =>
    `text\n\n<!-- ${mark} -->\n\n\`\`\`sh\n${command}\n\`\`\`\n`;
  const server = { dataDir: '/nowhere', ports: { broker: 1, api: 2, enroll: 3 } };

  test('finds out a page that does not say what happens', async (t) => {
    for (const [mark, command, isTrue] of [
      ['run', 'true', true],
      ['run', 'false | true', false],
      ['run: shows 8883 1', 'echo "88""83" 8883', true],
      ['run: shows more', 'echo mor', false],
      ['run: fails', 'false', true],
      ['run: fails', 'true', false],
      ['run: fails, shows no', 'echo no; false', true],
      ['run: fails, shows no', 'false', false],
      ['never', 'false', true],
    ] as const) {
      const { run } = await runPage(page(mark, command), { server, folder: temporaryFolder(t) });
      assert.equal(run.code === 0, isTrue, `${mark}: ${command}`);
    }
  });

  test('keeps variables and functions from block to block, and saves files', async (t) => {
    const pages = [
      page('run', 'word=kept; say() { echo "$1 $word"; }'),
      page('file: note.txt', 'saved'),
      page('run: shows it kept', 'say it'),
      page('run: shows saved', 'cat note.txt'),
    ];
    const { run, blocks } = await runPage(pages.join('\n'), { server, folder: temporaryFolder(t) });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(blocks.length, 3);
  });
});

describe('the reader of pages', () => {
  test('makes anchors as GitHub does', () => {
    for (const [heading, anchor] of [
      ['Keys, and *ceremonies*', 'keys-and-ceremonies'],
      ['RAUC (rauc-hawkbit-updater)', 'rauc-rauc-hawkbit-updater'],
      ['`device add`', 'device-add'],
      ['A [link](x.md) here', 'a-link-here'],
      ['Tom & Jerry', 'tom--jerry'],
    ] as const) {
      assert.equal(anchorOf(heading), anchor);
    }
    const page = readPage('# A\n\n## A\n\n```sh\n# no heading\n```\n');
    assert.deepEqual([...page.anchors], ['a', 'a-1']);
  });

  test('finds links in text and none in code, and the mark of a block', () => {
    const page = readPage(
      'See [a](a.md#b "t"), `[c](c.md)`, <img src="d.png">.\n\n' +
        '<!-- run: shows E_X -->\n\n```sh\necho "[e](e.md)"\n```\n\n```sh\nnever\n```\n',
    );
    assert.deepEqual(page.links, ['a.md#b', 'd.png']);
    assert.deepEqual(
      page.blocks.map(({ mark, text }) => [mark, text]),
      [
        ['run: shows E_X', 'echo "[e](e.md)"\n'],
        ['', 'never\n'],
      ],
    );
  });

  test('tells what is wrong with a link', () => {
    assert.equal(problemOf('README.md', 'nowhere.md'), 'there is no such file');
    assert.equal(problemOf('README.md', '#no-such-heading'), 'the page has no such heading');
    assert.equal(problemOf('README.md', '../elsewhere.md'), 'it leads out of the repository');
    assert.equal(problemOf('README.md', 'http://example.org/'), 'not by https:');
    assert.equal(problemOf('README.md', 'LICENSE'), undefined);
  });
});
