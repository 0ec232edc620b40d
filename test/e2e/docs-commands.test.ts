/** The commands of the documentation do what the pages say, against a real server. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { holdfast, markedBlocks, runPage, startServer, temporaryFolder } from '@holdfast/testkit';

const ROOT = join(import.meta.dirname, '../..');

const pages = globSync('docs/**/*.md', { cwd: ROOT })
  .map((path) => ({ path, markdown: readFileSync(join(ROOT, path), 'utf8') }))
  .filter(({ markdown }) => markedBlocks(markdown).some(({ mark }) => mark.startsWith('run')));

test('the first five minutes are among them, and more', () => {
  const paths = pages.map(({ path }) => path);
  assert.ok(paths.includes('docs/start.md'));
  assert.ok(paths.length >= 5, paths.join());
});

for (const { path, markdown } of pages) {
  test(path, async (t) => {
    const folder = temporaryFolder(t);
    const server = await startServer(t, { dataDir: join(folder, 'data') });
    // The guides go on from the device of the first five minutes.
    if (!markdown.includes('device add thermostat-1')) {
      mkdirSync(join(folder, 'work'));
      const added = await server.cli([
        'device',
        'add',
        'thermostat-1',
        '--class',
        'sensor',
        '--json',
      ]);
      const { claim } = JSON.parse(added.stdout) as { claim: { text: string } };
      const out = join(folder, 'work', 'thermostat-1');
      const enrolled = await holdfast(['device', 'enroll', '--claim', '-', '--out', out], {
        input: claim.text,
      });
      assert.equal(enrolled.code, 0, enrolled.stderr);
    }
    const { blocks, run } = await runPage(markdown, { server, folder });
    const last = blocks.at(-1);
    const where = `${last?.block.mark}\n${last?.block.text}\nprinted:\n${last?.output}`;
    assert.equal(run.code, 0, `${where}\n${run.stdout}${run.stderr}`);
    const wanted = markedBlocks(markdown).filter(({ mark }) => mark.startsWith('run'));
    assert.equal(blocks.length, wanted.length);
  });
}
