/** A server whose keys are in a PKCS#11 token, from `holdfast up` to an enrolled device. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, enroll } from '@holdfast/device';
import {
  type ServerProcess,
  type SoftToken,
  holdfast,
  softToken,
  startServer,
  temporaryFolder,
  whyNoTokens,
} from '@holdfast/testkit';

const skip = whyNoTokens() ?? false;

async function publishOnce(bundle: string): Promise<void> {
  const device = connect({ bundle, random: () => 0.02 });
  await device.publish({ n: 1 });
  await device.close();
}

/** Tries to start, and gives what it said when it did not. */
async function refusedStart(dataDir: string, more: readonly string[]): Promise<string> {
  const ports = ['--broker-port', '0', '--api-port', '0', '--enroll-port', '0'];
  const { code, stderr } = await holdfast(['up', '--data', dataDir, ...ports, ...more]);
  assert.notEqual(code, 0);
  return stderr;
}

/** Labels of the private keys in the token, as another program sees them. */
function keyLabels({ module, label, pin, env }: SoftToken): string[] {
  const args = ['--module', module, '--token-label', label, '--login', '--pin', pin, '-O'];
  const { stdout, status } = spawnSync('pkcs11-tool', args, { env: { ...process.env, ...env } });
  if (status !== 0) return [];
  return [...stdout.toString().matchAll(/label: +(.+)/gu)].map((match) => match[1] ?? '');
}

test('keys in a token: made there, used from there, and nowhere else', { skip }, async (t) => {
  const token = softToken(t);
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const pinFile = join(folder, 'pin');
  writeFileSync(pinFile, `${token.pin}\n`, { mode: 0o600 });
  const withPin = ['--pkcs11-pin-file', pinFile];
  const place = ['--pkcs11-module', token.module, '--pkcs11-token', token.label];

  let server: ServerProcess = await startServer(t, {
    dataDir,
    args: ['--custody', 'pkcs11', ...place, ...withPin],
  });
  const client = server.client();
  const { custody } = await client.authority();
  assert.equal(custody, `token ${token.label}`);
  const { claim } = await client.addDevice({ id: 'pump-1', class: 'sensor' });
  const bundle = join(folder, 'pump-1');
  await enroll({ claim: claim.text, out: bundle });
  await publishOnce(bundle);
  const second = await client.addDevice({ id: 'pump-2', class: 'sensor' });
  client.close();
  await server.stop();

  await t.test('the data folder has no key that opens it', () => {
    assert.ok(!existsSync(join(dataDir, 'unseal.key')));
    const file = readFileSync(join(dataDir, 'custody.json'), 'utf8');
    assert.ok(!file.includes(token.pin));
    for (const name of readdirSync(dataDir)) {
      assert.ok(!readFileSync(join(dataDir, name)).includes(token.pin), name);
    }
    const labels = keyLabels(token);
    for (const role of ['devices', 'servers', 'apps']) {
      if (labels.length > 0) assert.ok(labels.includes(`holdfast ${role} 1`), labels.join());
    }
  });

  await t.test('without a PIN, or with a wrong one, it does not start', async () => {
    assert.match(await refusedStart(dataDir, []), /E_CLI_SECRET/u);
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, '0000\n', { mode: 0o600 });
    const said = await refusedStart(dataDir, ['--pkcs11-pin-file', wrong]);
    assert.match(said, /E_CRYPTO_TOKEN_PIN/u);
    assert.match(said, /PIN of the token "holdfast test" is wrong/u);
    assert.ok(!said.includes('0000'));
    chmodSync(wrong, 0o644);
    assert.match(await refusedStart(dataDir, ['--pkcs11-pin-file', wrong]), /chmod 600/u);
  });

  await t.test('without the token, or with another one, it does not start', async () => {
    token.unplug();
    assert.match(await refusedStart(dataDir, withPin), /E_CRYPTO_TOKEN_MISSING/u);
    assert.ok(!existsSync(join(dataDir, 'unseal.key')), 'nothing falls back to a file');
    const options = ['--init-token', '--free', '--label', token.label, '--pin', token.pin];
    spawnSync('softhsm2-util', [...options, '--so-pin', 'so-pin-1']);
    assert.match(await refusedStart(dataDir, withPin), /E_CRYPTO_TOKEN_KEY/u);
    token.plug();
  });

  await t.test('the custody file cannot be led elsewhere by others', async () => {
    const path = join(dataDir, 'custody.json');
    chmodSync(path, 0o666);
    assert.match(await refusedStart(dataDir, withPin), /E_MAIN_CUSTODY_FILE/u);
    chmodSync(path, 0o600);
    const elsewhere = ['--custody', 'pkcs11', '--pkcs11-module', '/x.so', '--pkcs11-token', 'y'];
    assert.match(await refusedStart(dataDir, [...elsewhere, ...withPin]), /E_MAIN_CUSTODY/u);
  });

  await t.test('with the PIN it goes on, and rotates within the token', async () => {
    const { broker, api, enroll: enrollment } = server.ports;
    const ports = ['--broker-port', `${broker}`, '--api-port', `${api}`];
    const args = [...withPin, ...ports, '--enroll-port', `${enrollment}`];
    server = await startServer(t, { dataDir, args });
    const again = server.client();
    await publishOnce(bundle);
    const late = join(folder, 'pump-2');
    await enroll({ claim: second.claim.text, out: late });
    await again.prepareAuthority({});
    await again.switchAuthority();
    const { generations } = await again.finishRotation({ force: 'test' });
    assert.deepEqual(
      generations.map(({ state }) => state),
      ['ended', 'issuing'],
    );
    const labels = keyLabels(token);
    if (labels.length > 0) {
      assert.ok(labels.includes('holdfast devices 2'), labels.join());
      assert.ok(!labels.includes('holdfast devices 1'), 'ended keys are destroyed');
    }
    again.close();
    await server.stop();
  });

  await t.test('the log is verified offline with the PIN', async () => {
    const verify = ['audit', 'verify', '--data', dataDir, '--json'];
    const { code, stdout, stderr } = await holdfast([...verify, ...withPin]);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, true);
  });
});

test('keys of a folder are not moved into a token [E_MAIN_CUSTODY]', { skip }, async (t) => {
  const token = softToken(t);
  const dataDir = join(temporaryFolder(t), 'data');
  const server = await startServer(t, { dataDir });
  await server.stop();
  const place = ['--pkcs11-module', token.module, '--pkcs11-token', token.label];
  const said = await refusedStart(dataDir, ['--custody', 'pkcs11', ...place]);
  assert.match(said, /E_MAIN_CUSTODY/u);
});
