/**
 * Keeps the layout true to ARCHITECTURE.md: the direction of imports, the one place that opens
 * sockets, time and randomness as dependencies, and the dependency table.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
const server = join(root, 'packages/server/src');

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
}

function sourceFiles(pattern: string): SourceFile[] {
  return globSync(pattern, { cwd: root })
    .filter((path) => !path.includes('node_modules'))
    .map((path) => ({
      path,
      text: readFileSync(join(root, path), 'utf8'),
      isTest: /\.test(ing)?\.ts$|test-support\.ts$/.test(path),
    }));
}

function importsOf({ text }: SourceFile): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^;]*?from '([^']+)'|import\('([^']+)'\)|import '([^']+)'/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** Rows of the table under a heading, as cells. */
function tableUnder(heading: string): string[][] {
  const section = architecture.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0];
  assert.ok(section !== undefined, `ARCHITECTURE.md has no section "${heading}"`);
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const folderOrder = tableUnder('Folders of the server').map(([name = '']) =>
  name.replaceAll('`', ''),
);

/** What is wrong with one import of a server file; undefined when it is right. */
function judgeServerImport(
  path: string,
  imported: string,
  order: readonly string[],
): string | undefined {
  if (!imported.startsWith('.')) return undefined;
  const target = relative(server, join(dirname(join(root, path)), imported));
  const [from = ''] = relative(server, join(root, path)).split('/');
  const [to = '', ...rest] = target.split('/');
  if (from === to) return undefined;
  if (order.indexOf(to) === -1) return `${path} imports ${imported}: ${to} is not in the table`;
  // `thread.ts` is the narrow door of some folders, for worker threads and what they load.
  const isDoor =
    ['index.ts', 'thread.ts'].includes(rest.join('/')) || imported.endsWith('.testing.ts');
  if (!isDoor) return `${path} imports ${imported}: past the index of ${to}`;
  const isAgainst = order.indexOf(to) > order.indexOf(from);
  return isAgainst ? `${path} imports ${imported}: ${to} comes after ${from}` : undefined;
}

test('the folders of the server import only what stands above them', () => {
  assert.ok(folderOrder.length > 10);
  const files = sourceFiles('packages/server/src/**/*.ts');
  assert.ok(files.length > 50);
  for (const folder of new Set(files.map(({ path }) => path.split('/')[3] ?? ''))) {
    assert.ok(folderOrder.includes(folder), `${folder} has no row in ARCHITECTURE.md`);
  }
  const problems = files.flatMap((file) =>
    importsOf(file).map((imported) => judgeServerImport(file.path, imported, folderOrder)),
  );
  assert.deepEqual(problems.filter(Boolean), []);
});

test('the judgement of imports can fail', () => {
  const judge = (from: string, imported: string): string | undefined =>
    judgeServerImport(`packages/server/src/${from}`, imported, folderOrder);
  assert.match(judge('session/gate.ts', '../verify/index.ts') ?? '', /verify comes after session/);
  assert.match(judge('verify/a.ts', '../session/gate.ts') ?? '', /past the index/);
  assert.match(judge('verify/a.ts', '../nowhere/index.ts') ?? '', /not in the table/);
  assert.match(judge('verify/a.ts', '../session/deep/thread.ts') ?? '', /past the index/);
  assert.match(judge('crypto/a.ts', '../audit/thread.ts') ?? '', /audit comes after crypto/);
  assert.equal(judge('verify/a.ts', '../session/index.ts'), undefined);
  assert.equal(judge('journal/a.ts', '../audit/thread.ts'), undefined);
  assert.equal(judge('verify/a.ts', './b.ts'), undefined);
});

test('the packages import only what their row allows', () => {
  const allowed = new Map(
    tableUnder('Packages').map(([name = '', , may = '']) => [
      name.replaceAll('`', '').replace('packages/', ''),
      may.split(',').map((word) => word.trim()),
    ]),
  );
  for (const [name, may] of allowed) {
    for (const file of sourceFiles(`packages/${name}/src/**/*.ts`)) {
      for (const imported of importsOf(file)) {
        const other = /^@holdfast\/([a-z]+)/.exec(imported)?.[1];
        if (other === undefined || other === name || (file.isTest && other === 'testkit')) continue;
        assert.ok(may.includes(other), `${file.path} imports ${imported}`);
      }
    }
  }
});

test('the protocol does no I/O', () => {
  for (const file of sourceFiles('packages/protocol/src/**/*.ts')) {
    if (file.isTest) continue;
    const outside = importsOf(file).filter((name) => name.startsWith('node:'));
    assert.deepEqual(outside, [], file.path);
  }
});

test('a device does not load the schemas of the API', () => {
  for (const file of sourceFiles('packages/protocol/src/**/*.ts')) {
    if (!file.isTest && importsOf(file).includes('zod')) {
      assert.match(file.path, /^packages\/protocol\/src\/api(-[a-z-]+)?\.ts$/);
    }
  }
});

test('only one file opens sockets, and none without TLS', () => {
  const listener = 'packages/server/src/wire/listener.ts';
  const opens =
    /\bcreate(Secure|Https|Tls)?Server\b|\.listen\(|import (?!type )[^;]*'node:(http|http2|dgram)'/;
  for (const file of sourceFiles('packages/*/src/**/*.ts')) {
    if (file.isTest || file.path === listener) continue;
    assert.ok(!opens.test(file.text), `${file.path} opens a socket`);
  }
  const { text } = sourceFiles(listener)[0] ?? assert.fail('no listener');
  const created = [...text.matchAll(/createServer as (\w+)[^']*'(node:[a-z]+)'/g)];
  const modules = new Set(created.map((match) => match[2]));
  assert.deepEqual(modules, new Set(['node:https', 'node:tls']));
  const values = text.match(/import (?!type)[^;]*from 'node:(net|http|http2|dgram)'/);
  assert.equal(values, null, 'the listener imports a plaintext module');
});

test('time, randomness and timers come from the kernel', () => {
  const direct = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bset(Timeout|Interval)\(/;
  for (const file of sourceFiles('packages/server/src/**/*.ts')) {
    if (file.isTest || file.path.startsWith('packages/server/src/kernel/')) continue;
    assert.ok(!direct.test(file.text), `${file.path} reads the clock or chance by itself`);
  }
});

interface Manifest {
  readonly name: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest;
}

test('each dependency has its line in ARCHITECTURE.md', () => {
  const table = architecture.split('\n## Dependencies\n')[1] ?? '';
  for (const path of ['package.json', ...globSync('packages/*/package.json', { cwd: root })]) {
    const { dependencies, devDependencies, optionalDependencies } = manifest(path);
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
    for (const [name, version] of Object.entries(all)) {
      // Node itself stands in the table under its most common name.
      if (name.startsWith('@holdfast/') || /^node-(bin-)?(linux|darwin)-/.test(name)) continue;
      assert.match(version, /^\d/, `${path}: ${name} is not pinned`);
      const short = name.replace('@peculiar/asn1', '');
      assert.ok(
        table.includes(`\`${name}\``) || table.includes(`\`${short}\``),
        `${name} in ${path}`,
      );
    }
  }
});

/** Whether a licence lets us choose one that is neither GPL nor AGPL: an SPDX expression. */
function isAllowedLicense(expression: string): boolean {
  const choice = expression.replace(/^\((.*)\)$/, '$1');
  // Only a plain list of choices is taken apart; whatever nests is judged as a whole.
  const sides = /[()]/.test(choice) ? [choice] : choice.split(' OR ');
  return sides.some((side) => !/GPL/i.test(side));
}

test('the judgement of licences can fail', () => {
  for (const good of ['MIT', '(BSD-3-Clause OR GPL-2.0)', 'GPL-2.0 OR MIT']) {
    assert.ok(isAllowedLicense(good), good);
  }
  const bad = ['AGPL-3.0', '(GPL-2.0 OR GPL-3.0)', 'MIT AND GPL-2.0', 'GPL-2.0 AND (MIT OR ISC)'];
  for (const one of bad) assert.ok(!isAllowedLicense(one), one);
});

test('no installed package is under the GPL or AGPL', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { license?: string; hasInstallScript?: boolean }>;
  };
  for (const [path, { license }] of Object.entries(lock.packages)) {
    if (!path.includes('node_modules/') || !existsSync(join(root, path, 'package.json'))) continue;
    const found = license ?? manifest(join(path, 'package.json')).license ?? 'none';
    assert.ok(isAllowedLicense(found), `${path}: ${found}`);
  }
});

test('no package runs a script when it is installed, but for those that are named here', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const running = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
  const names = running.map((path) => path.replace(/^.*node_modules\//, ''));
  assert.deepEqual(names, ['pkcs11js']);
});

test('the lock file knows the packages of every platform, or npm ci fails', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !Object.hasOwn(packages, `node_modules/${name}`));
  assert.deepEqual(missing, [], 'npm leaves out what the registry in use does not offer');
});
