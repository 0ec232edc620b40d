/** The root leaves the server, and signs the next generation from its file. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { enroll } from '@holdfast/device';
import { startServer, temporaryFolder } from '@holdfast/testkit';

test('an exported root is gone from the server, and rotates it from the file', async (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('phrase'), 'correct horse battery\n', { mode: 0o600 });
  writeFileSync(path('wrong'), 'wrong horse battery\n', { mode: 0o600 });
  const phrase = ['--passphrase-file', path('phrase')];
  let server = await startServer(t, { dataDir: path('data') });
  const root = path('root.pem');

  const exported = await server.cli(['ca', 'export-root', '--out', root, ...phrase]);
  assert.equal(exported.code, 0, exported.stderr);
  assert.match(exported.stdout, /no longer on the server/u);
  assert.equal(statSync(root).mode & 0o777, 0o600);
  assert.ok(!exported.stdout.includes('battery'));
  const again = await server.cli(['ca', 'export-root', '--out', path('b.pem'), ...phrase]);
  assert.notEqual(again.code, 0);

  await server.stop();
  server = await startServer(t, { dataDir: path('data') });
  const client = server.client();
  t.after(() => client.close());
  assert.equal((await client.authority()).root.isKeyHere, false, 'also after a restart');
  await assert.rejects(client.prepareAuthority({}), /offline/u);
  await assert.rejects(client.exportRoot({ passphrase: 'x'.repeat(12) }), /offline/u);

  const rotate = (...args: readonly string[]) => server.cli(['ca', 'rotate', ...args]);
  assert.match((await rotate('--prepare')).stderr, /offline/u);
  const wrong = await rotate('--prepare', '--root', root, '--passphrase-file', path('wrong'));
  assert.match(wrong.stderr, /E_PKI_ROOT_FILE/u);

  // The root of another server has a good key and a good passphrase, and is not ours.
  const other = await startServer(t, { dataDir: path('other') });
  await other.cli(['ca', 'export-root', '--out', path('other.pem'), ...phrase]);
  const foreign = await rotate('--prepare', '--root', path('other.pem'), ...phrase);
  assert.match(foreign.stderr, /is not of our root/u);

  const prepared = await rotate('--prepare', '--root', root, ...phrase);
  assert.equal(prepared.code, 0, prepared.stderr);
  assert.match(prepared.stdout, /generation 2 +published, issues nothing yet/u);
  assert.match((await rotate('--switch')).stdout, /generation 2 +issues/u);
  const { claim } = await client.addDevice({ id: 'pump-1', class: 'sensor' });
  await enroll({ claim: claim.text, out: path('pump-1') });
  const { issuer } = new X509Certificate(readFileSync(path('pump-1/client.crt')));
  assert.match(issuer, /devices 2/u);
  const unnamed = await rotate();
  assert.equal(unnamed.code, 2, 'a script has to name its step');
  assert.match((await rotate('--finish')).stdout, /generation 1 +ended/u);

  const acts = new Set((await client.acts()).map(({ action }) => action));
  for (const action of ['ca.root-export', 'ca.root-forget', 'ca.request', 'ca.prepare']) {
    assert.ok(acts.has(action), action);
  }
});
