/** The command line as people meet it: a shell that completes, a terminal, a server that runs. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { holdfast, run, startServer, temporaryFolder, waitFor } from '@holdfast/testkit';

const COMMAND = join(import.meta.dirname, '../../packages/cli/bin/holdfast.js');

/** A folder to be searched for programs, with `holdfast` in it. */
function searchPath(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(COMMAND, join(bin, 'holdfast'));
  return `${bin}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
}

async function isInstalled(shell: string): Promise<boolean> {
  return run(shell, ['-c', 'true']).then(
    () => true,
    () => false,
  );
}

/** On a machine that is busy the server may answer too late for a Tab: it is pressed again. */
function answered(complete: () => Promise<string[]>): Promise<string[]> {
  return waitFor(
    'a completion',
    async () => {
      const found = await complete();
      return found.join('') !== '' && found;
    },
    60_000,
  );
}

test('the command line beside a server that runs', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const server = await startServer(t, { dataDir });
  const client = server.client();
  t.after(() => Promise.resolve(client.close()));
  for (const id of ['pump-1', 'pump-2', 'valve-3']) await client.addDevice({ id, class: 'sensor' });
  const env = { ...process.env, PATH: searchPath(folder), HOLDFAST_DATA: dataDir, HOME: folder };
  const script = async (shell: string): Promise<string> => {
    const path = join(folder, `holdfast.${shell}`);
    writeFileSync(path, (await holdfast(['completion', shell])).stdout);
    return path;
  };

  await t.test('bash completes verbs, options, devices and files', async () => {
    const path = await script('bash');
    const complete = async (...words: string[]): Promise<string[]> => {
      const line = `source ${path}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast holdfast
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      const args = ['--norc', '--noprofile', '-c', line, 'bash', 'holdfast', ...words];
      const { stdout, stderr } = await run('bash', args, { env, cwd: folder });
      assert.equal(stderr, '');
      return stdout.trim().split('\n');
    };
    assert.deepEqual(await complete('device', 'qua'), ['quarantine']);
    assert.deepEqual(await complete('status', '--wa'), ['--watch']);
    const devices = await answered(() => complete('device', 'show', 'pu'));
    assert.deepEqual(devices, ['pump-1', 'pump-2']);
    assert.deepEqual(await complete('device', 'import', 'holdfast.b'), ['holdfast.bash']);
    const registered = await run('bash', ['--norc', '-c', `source ${path}; complete -p holdfast`]);
    assert.equal(registered.stdout, 'complete -F _holdfast holdfast\n');
  });

  await t.test('fish completes them, and says what they mean', async (t) => {
    if (!(await isInstalled('fish'))) return t.skip('fish is not installed');
    const path = await script('fish');
    const complete = async (line: string): Promise<string[]> => {
      const args = ['--no-config', '-c', `source ${path}; complete -C '${line}'`];
      const { stdout } = await run('fish', args, { env, cwd: folder });
      return stdout.split('\n').filter(Boolean);
    };
    assert.deepEqual(await answered(() => complete('holdfast device show pump-')), [
      'pump-1\tsensor, registered',
      'pump-2\tsensor, registered',
    ]);
    assert.deepEqual(await complete('holdfast device import holdfast.f'), ['holdfast.fish']);
    assert.match((await complete('holdfast devi'))[0] ?? '', /^device\tregister devices/u);
  });

  await t.test('zsh completes them, in its own completion system', async (t) => {
    if (!(await isInstalled('zsh'))) return t.skip('zsh is not installed');
    const path = await script('zsh');
    // A terminal of its own, in which keys are typed; what is on the screen then is what counts.
    const typing = join(folder, 'typing.zsh');
    writeFileSync(
      typing,
      `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "autoload -Uz compinit; compinit -u -d ${folder}/dump; source ${path}; echo REA''DY"
zpty -r z seen '*READY*'
zpty -w -n z $'holdfast device show val\\t ; echo DO""NE\\n'
zpty -r z seen '*DONE*'
print -r -- "$seen"
zpty -d z
`,
    );
    const seen = await answered(async () => {
      const { stdout } = await run('zsh', ['-f', typing], { env, cwd: folder });
      return /device show val(?:.{0,20})ve-3/u.exec(stdout)?.slice(0, 1) ?? [];
    });
    assert.equal(seen.length, 1);
  });

  await t.test('status says how it is, and its exit code too', async () => {
    const { code, stdout, stderr } = await server.cli(['status', '--json']);
    assert.equal(stderr, '');
    const { isWell, fleet } = JSON.parse(stdout);
    assert.equal(fleet.total, 3);
    assert.equal(code, isWell === true ? 0 : 4);
    // Whether the disk is slow may be another matter by now.
    const shown = await server.cli(['status']);
    assert.equal(shown.code, shown.stdout.startsWith('✓') ? 0 : 4);
    assert.match(shown.stdout, /^[✓✗] .*\n\n(?:[^]*\n)? {2}devices +3: 3 registered; 0 connected/u);
    // No terminal, no color, no cursor.
    assert.ok(!shown.stdout.includes('\u001B'));
  });

  await t.test('a terminal gets color, unless NO_COLOR or --no-color says otherwise', async () => {
    const shown = async (line: string, more: Record<string, string> = {}): Promise<string> => {
      // Node takes a machine of CI for one without color.
      const { CI: _, ...own }: NodeJS.ProcessEnv = env;
      const terminal = { ...own, NO_COLOR: '', TERM: 'xterm-256color', ...more };
      const args = ['-qec', `holdfast ${line}`, '/dev/null'];
      return (await run('script', args, { env: terminal })).stdout;
    };
    assert.ok((await shown('device list')).includes('\u001B[1m'));
    assert.ok(!(await shown('device list --no-color')).includes('\u001B'));
    assert.ok(!(await shown('device list', { NO_COLOR: '1' })).includes('\u001B'));
  });

  await t.test('doctor finds the running server well, and each thing that is broken', async () => {
    const examine = async (args: readonly string[] = []) => {
      const { code, stdout, stderr } = await server.cli(['doctor', '--json', ...args]);
      assert.equal(stderr, '');
      const { isWell, findings } = JSON.parse(stdout);
      const found = (level: string): { check: string; what: string }[] =>
        findings.filter((one: { level: string }) => one.level === level);
      return { code, isWell, found };
    };
    const refusals = async (): Promise<string> => (await server.cli(['refusals', '--json'])).stdout;
    const before = await refusals();
    const well = await examine();
    assert.equal(await refusals(), before, 'it is on the record for what it need not try');
    assert.deepEqual([well.code, well.isWell, well.found('bad')], [0, true, []]);
    assert.equal(well.found('good').filter(({ check }) => check === 'TLS').length, 3);
    const listens = well.found('good').filter(({ check }) => check === 'ports');
    assert.ok(listens.some(({ what }) => what.includes(`(process ${server.pid})`)));

    const key = join(dataDir, 'unseal.key');
    chmodSync(key, 0o644);
    const sick = await examine();
    assert.deepEqual([sick.code, sick.isWell], [4, false]);
    assert.deepEqual(
      sick.found('bad').map(({ what }) => what),
      [`${key} can be read by other users of this machine (mode 644).`],
    );
    const { stdout, code } = await server.cli(['doctor']);
    assert.equal(code, 4);
    assert.match(stdout, /^✗ 1 thing is bad\./u);
    assert.match(stdout, /\n {4}fix {2}Find out who could, then: chmod 600 /u);
    chmodSync(key, 0o600);
  });

  await t.test('doctor examines what does not run: a crash, and a port that is taken', async () => {
    await server.stop('SIGKILL');
    const taken = createServer().listen(0);
    t.after(() => taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { code, stdout } = await server.cli(['doctor', '--api-port', `${port}`]);
    assert.equal(code, 4);
    assert.ok(stdout.includes(`Port ${port} (api) is taken by `), stdout);
    assert.ok(stdout.includes(`(process ${process.pid})`));
    assert.match(stdout, /did not stop, it ended/u);
    const strict = await server.cli(['doctor', '--strict', '--json']);
    assert.equal(strict.code, 4);
  });
});
