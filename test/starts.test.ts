/**
 * Keeps starts cheap. Whatever a file imports is loaded before its first line runs, in each process
 * and again in each worker thread, and tests start hundreds of both. So this follows the imports as
 * Node does, without running anything.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

/** What Node loads for a file: types are erased, and `import()` waits until it is needed. */
function importsOf(text: string): string[] {
  const pattern = /^(?:import|export) (?!type\b)(?:[^;']*? from )?'([^']+)'/gm;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

/** The file of a package of our own that is imported by its name; undefined for other packages. */
function ownFile(specifier: string): string | undefined {
  const [, name, door = ''] = /^@holdfast\/(\w+)(\/.+)?$/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  const folder = join(root, 'packages', name);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: Readonly<Record<string, string>>;
  };
  return join(folder, exports[`.${door}`] ?? assert.fail(`${specifier} is not exported`));
}

/** All that a file makes Node load: our own files, and the names of other packages. */
function loadedBy(start: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const follow = (path: string): void => {
    if (files.has(path)) return;
    assert.ok(existsSync(path), path);
    files.add(path);
    if (!path.endsWith('.ts')) return;
    for (const specifier of importsOf(readFileSync(path, 'utf8'))) {
      if (specifier.startsWith('node:')) continue;
      const own = specifier.startsWith('.') ? join(dirname(path), specifier) : ownFile(specifier);
      if (own === undefined) packages.add(specifier);
      else follow(own);
    }
  };
  follow(join(root, start));
  return { files: [...files].map((path) => relative(root, path)), packages: [...packages] };
}

/** Runs from the start of each server. */
const THREADS = [
  'packages/server/src/journal/journal-worker.ts',
  'packages/server/src/telemetry/series/series-worker.ts',
];

for (const thread of THREADS) {
  test(`${thread} loads no package, such as zod or pino, which cost more than its work`, () => {
    const { files, packages } = loadedBy(thread);
    assert.deepEqual(packages, []);
    // Through the doors for threads, see ARCHITECTURE.md.
    assert.ok(files.includes('packages/server/src/crypto/thread.ts'));
    for (const folder of ['crypto', 'persistence', 'audit', 'registry']) {
      assert.ok(!files.includes(`packages/server/src/${folder}/index.ts`), folder);
    }
  });
}

test('a command loads no more of the protocol than the API', () => {
  const client = loadedBy('packages/client/src/index.ts');
  assert.deepEqual(client.packages, ['zod']);
  for (const { files } of [client, loadedBy('packages/cli/src/commands/device-list.ts')]) {
    const doors = files.filter((path) => /^packages\/\w+\/src\/(?:\w+\/)?index\.ts$/.test(path));
    const others = doors.filter((path) => path !== 'packages/client/src/index.ts');
    assert.deepEqual(others, [], 'such as signed JSON, the Merkle log, the device, the server');
  }
});

test('what loads more is seen', () => {
  const { files, packages } = loadedBy('packages/server/src/main/index.ts');
  assert.ok(packages.includes('zod') && packages.includes('prom-client'));
  assert.ok(files.includes('packages/server/src/audit/index.ts'));
  const text = `import type { A } from 'a';\nimport { type B } from 'b';\nimport 'c';
import {
  d,
} from 'd';
export * from 'e';\nexport type * from 'f';\nconst g = await import('g');\n`;
  assert.deepEqual(importsOf(text), ['b', 'c', 'd', 'e']);
});
