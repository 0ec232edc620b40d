import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { credentialsPath, findAccess, readLogin, writeLogin } from './access.ts';
import { Failure } from './failure.ts';
import { FakeWorld } from './fake-world.ts';

const LOGIN = { url: 'https://iot.example.com:8443', token: 'hf_login', anchorPem: 'ROOT' };
const isCode = (code: string) => (error: unknown) =>
  error instanceof Failure && error.code === code;

const tokenOf = (world: FakeWorld, data?: string) => {
  const { token } = findAccess(world, data);
  return typeof token === 'function' ? token() : token;
};

describe('findAccess', () => {
  it('takes the server of the data folder before a login', () => {
    const world = new FakeWorld();
    writeLogin(world, LOGIN);
    assert.equal(tokenOf(world), 'hf_local');
  });

  it('takes the login when no server runs here', () => {
    const world = new FakeWorld({ hasLocalServer: false });
    writeLogin(world, LOGIN);
    assert.equal(tokenOf(world), 'hf_login');
  });

  it('goes on with the new local token when the server starts again', () => {
    const world = new FakeWorld();
    const { token } = findAccess(world, undefined);
    assert.ok(typeof token === 'function');
    world.startLocalServer('hf_second');
    assert.equal(token(), 'hf_second');
  });

  it('never sends the token of a server here to the one of a login', () => {
    const world = new FakeWorld({ hasLocalServer: false });
    writeLogin(world, LOGIN);
    const { token } = findAccess(world, undefined);
    world.startLocalServer('hf_local');
    assert.equal(token, 'hf_login');
  });

  it('does not fall back to a login when a folder was named', () => {
    const world = new FakeWorld();
    writeLogin(world, LOGIN);
    assert.throws(() => findAccess(world, join(world.home, 'none')), isCode('E_CLI_NO_SERVER'));
  });

  it('refuses a damaged file, and one without TLS', () => {
    const world = new FakeWorld();
    for (const text of [
      '',
      '[]',
      'null',
      '{"url":1}',
      JSON.stringify({ ...LOGIN, url: 'http://x' }),
    ]) {
      writeFileSync(join(world.home, 'data', 'cli.json'), text);
      assert.throws(() => findAccess(world, undefined), isCode('E_CLI_CREDENTIALS'), text);
    }
  });
});

describe('a planted cli.json', () => {
  const explained = (what: RegExp, fix: RegExp) => (error: unknown) =>
    isCode('E_CLI_CREDENTIALS')(error) &&
    error instanceof Failure &&
    what.test(error.message) &&
    error.why !== undefined &&
    fix.test(error.fix);

  it('is not obeyed in a folder that others can write in', () => {
    for (const mode of [0o720, 0o702, 0o777, 0o1777]) {
      const world = new FakeWorld();
      chmodSync(join(world.home, 'data'), mode);
      const isRefused = explained(/write in .*data\.$/u, /chmod go-w .*data\b.*--data/u);
      assert.throws(() => findAccess(world, undefined), isRefused, mode.toString(8));
    }
  });

  it('is not obeyed when others can read or change it', () => {
    for (const mode of [0o640, 0o620, 0o604, 0o602]) {
      const world = new FakeWorld();
      const path = join(world.home, 'data', 'cli.json');
      chmodSync(path, mode);
      const isRefused = explained(/read or change .*cli\.json\.$/u, /chmod 600/u);
      assert.throws(() => findAccess(world, undefined), isRefused, mode.toString(8));
    }
  });

  it('is obeyed in a folder that others can only look into', () => {
    const world = new FakeWorld();
    chmodSync(join(world.home, 'data'), 0o755);
    assert.equal(tokenOf(world), 'hf_local');
  });

  it('does not come in while a command follows', () => {
    const world = new FakeWorld();
    const { token } = findAccess(world, undefined);
    chmodSync(join(world.home, 'data'), 0o777);
    assert.ok(typeof token === 'function');
    assert.throws(() => token(), isCode('E_CLI_CREDENTIALS'));
  });
});

describe('a login', () => {
  it('is kept where XDG_CONFIG_HOME says', () => {
    const world = new FakeWorld();
    world.env['XDG_CONFIG_HOME'] = join(world.home, 'xdg');
    writeLogin(world, LOGIN);
    assert.equal(credentialsPath(world), join(world.home, 'xdg', 'holdfast', 'credentials.json'));
    assert.deepEqual(readLogin(world), LOGIN);
  });

  it('is refused when others can read it', () => {
    const world = new FakeWorld();
    writeLogin(world, LOGIN);
    chmodSync(credentialsPath(world), 0o640);
    assert.throws(() => readLogin(world), isCode('E_CLI_CREDENTIALS'));
  });
});
