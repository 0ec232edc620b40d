import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

/** The modules that a command line loads, by their addresses. */
function loadedBy(...args: readonly string[]): string[] {
  const program = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({
      resolve: (specifier, context, next) => {
        const found = next(specifier, context);
        urls.push(found.url);
        return found;
      },
    });
    const { run } = await import(${JSON.stringify(join(import.meta.dirname, 'run.ts'))});
    const stdout = { write: () => {}, isTty: false, hasColor: false, columns: 80, rows: 24 };
    const code = await run(${JSON.stringify(args)}, { stdout, stderr: stdout, env: {} });
    console.log(JSON.stringify(code === 0 ? urls : [code]));`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  return JSON.parse(text);
}

/** What makes a start slow: commands, the schemas of the API, the server. */
const HEAVY =
  /\/commands\/(?!index\.ts)|\/zod\/|\/protocol\/src\/|\/(?:client|server|device)\/src\//u;

test('help and completion of words load no command', () => {
  for (const args of [
    ['--help'],
    ['--version'],
    ['device', '--help'],
    ['__complete', '--', 'dev'],
  ]) {
    const urls = loadedBy(...args);
    assert.ok(urls.length > 5 && urls.some((url) => url.endsWith('/commands/index.ts')));
    assert.deepEqual(
      urls.filter((url) => HEAVY.test(url)),
      [],
      args.join(' '),
    );
  }
});

test('the help of a command loads that command, and no other', () => {
  const commands = loadedBy('status', '--help').flatMap(
    (url) => /\/commands\/(.*)$/u.exec(url)?.[1] ?? [],
  );
  assert.deepEqual(commands.toSorted(), [
    'index.ts',
    'status-rows.ts',
    'status-text.ts',
    'status.ts',
  ]);
});
