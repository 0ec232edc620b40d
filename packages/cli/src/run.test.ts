import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import { COMMAND_GROUPS } from './commands/index.ts';
import { EXIT } from './failure.ts';
import { FakeWorld } from './fake-world.ts';
import { VERSION } from './version.ts';

const COMMANDS = COMMAND_GROUPS.flatMap(({ commands }) => commands);

describe('help', () => {
  it('is what the command alone, --help and help print', async () => {
    const texts = await Promise.all(
      [[], ['--help'], ['-h'], ['help']].map(async (args) => {
        const world = new FakeWorld({ hasLocalServer: false });
        assert.equal(await world.run(...args), 0);
        return world.outText;
      }),
    );
    assert.equal(new Set(texts).size, 1);
    const text = texts[0] ?? '';
    for (const { path } of COMMANDS) {
      const [word = ''] = path.split(' ');
      assert.match(text, new RegExp(`\n {2}${word} (?:…|<| )`, 'u'), path);
    }
    const lines = text.split('\n');
    const firstDay = ['up', 'login', 'device add', 'readings', 'status'];
    firstDay.forEach((line, at) => {
      assert.match(lines[at + 3] ?? '', new RegExp(`^ {2}holdfast ${line}`, 'u'));
    });
    assert.ok(lines.length < 70, 'it fits on a screen');
  });

  it('shows every command on a line, and how commands end', async () => {
    const all = new FakeWorld({ hasLocalServer: false });
    assert.equal(await all.run('help', 'commands'), 0);
    for (const { path } of COMMANDS) assert.ok(all.outText.includes(`\n  ${path} `), path);
    const codes = new FakeWorld({ hasLocalServer: false });
    assert.equal(await codes.run('help', 'exit-codes'), 0);
    for (const code of Object.values(EXIT)) {
      assert.match(codes.outText, new RegExp(`^ {2}${code} {2}\\S`, 'mu'));
    }
  });

  it('shows the commands of a noun', async () => {
    for (const args of [['audit'], ['audit', '--help'], ['help', 'audit']]) {
      const world = new FakeWorld();
      assert.equal(await world.run(...args), 0);
      assert.equal(
        world.outText,
        `holdfast audit <command>: the log of everything: verify it, prove a reading, see who did what

  audit verify          check a data folder, a copy of one, or a running server for any change
  audit prove <device>  write the evidence of a reading, for somebody who has never seen the server
  audit check <file>    check the evidence of a reading; needs no server
  audit acts            show who did what, and why
  audit checkpoint      print the newest signed checkpoint of the audit log
  audit witness         watch from outside that the log of a server only grows, and cosign it

Examples
  holdfast audit verify
  holdfast audit acts --limit 50
  holdfast audit prove thermostat-1

More on each: holdfast audit <command> --help
`,
      );
    }
  });

  it('shows one command with its options and examples', async () => {
    for (const args of [
      ['device', 'revoke', '--help'],
      ['device', 'revoke', 'thermostat-1', '-h'],
      ['help', 'device', 'revoke'],
    ]) {
      const world = new FakeWorld();
      assert.equal(await world.run(...args), 0);
      assert.equal(
        world.outText,
        `holdfast device revoke: end the access of a device at once

Usage
  holdfast device revoke [id] [options]

  Its connection is closed, and its certificates never work again. To let the
  device come back: holdfast device claim <id>, then enroll it again.
  On a terminal it asks first; in a script it does not, but for many.

Options
  --group GROUP  all devices of a group, instead of one
  --class CLASS  all devices of a class, instead of one
  --reason TEXT  why, for the audit log
  --yes          do not ask
  --json         print JSON, for programs
  --data FOLDER  data folder on this machine (default ./data, or HOLDFAST_DATA)

Examples
  holdfast device revoke thermostat-1 --reason "a leak"
  holdfast device revoke --group north --yes
`,
      );
    }
  });
});

describe('a command line that is wrong', () => {
  it('gets exit code 2 and what was probably meant', async () => {
    for (const [line, hint] of [
      ['devcie', /Did you mean holdfast device\?/u],
      ['device lsit', /Did you mean holdfast device list\?/u],
      ['device frobnicate', /See holdfast device --help/u],
      ['frobnicate', /See holdfast --help/u],
      ['readings', /needs <id>/u],
      ['readings a b', /what to do with "b"/u],
      ['readings a --folow', /Did you mean --follow\?/u],
      ['readings a --limit', /--limit needs a value/u],
      ['readings a --follow=1', /--follow takes no value/u],
      ['__proto__', /There is no command/u],
    ] as const) {
      const world = new FakeWorld();
      assert.equal(await world.run(...line.split(' ')), 2, line);
      assert.match(world.errText, hint);
      assert.equal(world.outText, '');
    }
  });

  it('is shown without obeying its control characters', async () => {
    const world = new FakeWorld();
    await world.run('\u001B[2J');
    assert.doesNotMatch(world.errText.replaceAll('\n', ''), /\p{C}/u);
  });
});

describe('run', () => {
  it('prints the version', async () => {
    const world = new FakeWorld();
    assert.equal(await world.run('--version'), 0);
    assert.equal(world.outText, `${VERSION}\n`);
  });

  it('ends with 3 when there is no server, or none answers', async () => {
    const nobody = new FakeWorld({ hasLocalServer: false });
    assert.equal(await nobody.run('device', 'list'), 3);
    assert.match(nobody.errText, /holdfast up[^]*holdfast login/u);
    const error = new ApiError({
      code: 'E_CLIENT_UNREACHABLE',
      message: 'm',
      fix: 'f',
      cause: new Error('connect ECONNREFUSED'),
    });
    const silent = new FakeWorld({ client: { devices: () => Promise.reject(error) } });
    assert.equal(await silent.run('device', 'list'), 3);
    assert.match(silent.errText, /why {3}connect ECONNREFUSED/u);
  });

  it('says that a defect is ours, and where', async () => {
    const devices = () => Promise.reject(new TypeError('oops'));
    const world = new FakeWorld({ client: { devices } });
    assert.equal(await world.run('device', 'list'), 1);
    assert.match(world.errText, /E_CLI_DEFECT[^]*oops[^]*run\.test\.ts/u);
  });
});
