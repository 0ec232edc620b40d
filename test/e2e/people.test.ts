/** People at a real server: the command line with a second factor, and an end that comes at once. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClient } from '@holdfast/client';
import { holdfast, run, startServer, temporaryFolder } from '@holdfast/testkit';
import { openAsPerson } from './interop-clients.ts';

const PASSWORD = 'correct horse battery';

/** The code of this moment, by Debian's oathtool: another maker's idea of RFC 6238. */
async function oathtool(secret: string): Promise<string> {
  const { stdout, code } = await run('oathtool', ['--totp', '--base32', '-'], { input: secret });
  assert.equal(code, 0);
  return stdout.trim();
}

test('a person joins, signs in by the command line, and is shut out at once', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const server = await startServer(t, { dataDir });
  const local = server.client();
  t.after(() => local.close());
  const access = readFileSync(join(dataDir, 'cli.json'), 'utf8');
  const { url, anchorPem } = JSON.parse(access) as { url: string; anchorPem: string };

  const added = await server.cli(['person', 'add', 'grace', '--role', 'operator', '--json']);
  assert.equal(added.code, 0, added.stderr);
  const { code } = JSON.parse(added.stdout) as { code: string };
  const stranger = createClient({ url, anchorPem });
  const { session } = await stranger.redeemInvitation(code);
  const grace = createClient({ url, anchorPem, session });
  t.after(() => [stranger, grace].forEach((client) => client.close()));
  await assert.rejects(grace.devices(), { code: 'E_OPERATE_SECOND_FACTOR' });
  await grace.setPassword(PASSWORD);
  const { secret } = await grace.offerTotp();
  const { recoveryCodes } = await grace.confirmTotp(await oathtool(secret));
  assert.deepEqual(await grace.devices(), []);

  const home = join(folder, 'home');
  mkdirSync(home);
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: undefined, HOLDFAST_DATA: undefined };
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, anchorPem);
  const login = (factor: string) => {
    const args = ['login', '--server', url, '--ca', ca, '--name', 'grace', '--password-stdin'];
    return holdfast(args, { env, cwd: home, input: `${PASSWORD}\n${factor}\n` });
  };
  assert.match((await login('000000')).stderr, /E_OPERATE_SIGN_IN/);
  const signedIn = await login(recoveryCodes[0] ?? '');
  assert.equal(signedIn.code, 0, signedIn.stderr);
  const asGrace = (...args: string[]) => holdfast(args, { env, cwd: home });
  assert.equal((await asGrace('device', 'list')).code, 0);
  assert.match((await asGrace('person', 'list')).stderr, /E_OPERATE_FORBIDDEN/);
  const sessions = await asGrace('session', 'list', '--json');
  assert.equal((JSON.parse(sessions.stdout) as unknown[]).length, 1);

  const kept = readFileSync(join(home, '.config/holdfast/credentials.json'), 'utf8');
  const { token } = JSON.parse(kept) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const socket = await openAsPerson(server.ports.api, { anchorPem, headers });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', () => resolve(performance.now()));
  });
  const startMs = performance.now();
  const disabled = await local.disablePerson('grace');
  assert.equal(disabled.state, 'disabled');
  const endMs = (await closed) - startMs;
  t.diagnostic(`the WebSocket closed ${Math.round(endMs)} ms after the act`);
  await assert.rejects(grace.devices(), { code: 'E_OPERATE_UNAUTHENTICATED' });
  assert.match((await asGrace('device', 'list')).stderr, /E_OPERATE_UNAUTHENTICATED/);
  const refused = await login(recoveryCodes[1] ?? '');
  assert.match(refused.stderr, /E_OPERATE_SIGN_IN/);
});
