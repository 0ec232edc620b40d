/** Whoever keeps the unseal key: what all of them promise, and what each of them can break. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { holdfast, startServer, temporaryFolder } from '@holdfast/testkit';
import { type KeyKeeper, startLocalKms, startLocalVault } from './local-key-keepers.ts';

const PASSPHRASE = 'correct horse battery staple';
const KMS_CREDENTIALS = { accessKeyId: 'AKIDTEST', secretAccessKey: 'not-a-real-one-4711' };
const VAULT_TOKEN = 'hvs.test-token-4711';

/** A way of keeping the key, as a person names it on the command line. */
interface Kept {
  readonly kind: string;
  /** Names the keeper. */
  readonly args: readonly string[];
  /** Opens it later. */
  readonly openArgs: readonly string[];
  readonly keeper?: KeyKeeper;
}

function secretFile(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const KEPT: Readonly<Record<string, (t: TestContext) => Promise<Kept>>> = {
  file: () => Promise.resolve({ kind: 'file', args: [], openArgs: [] }),
  passphrase: (t) => {
    const file = secretFile(temporaryFolder(t), 'passphrase', `${PASSPHRASE}\n`);
    const openArgs = ['--passphrase-file', file];
    return Promise.resolve({ kind: 'passphrase', args: openArgs, openArgs });
  },
  'aws-kms': async (t) => {
    const keeper = await startLocalKms(t, KMS_CREDENTIALS);
    const file = secretFile(temporaryFolder(t), 'kms.json', JSON.stringify(KMS_CREDENTIALS));
    const place = ['--kms-key', 'alias/holdfast', '--kms-region', 'eu-central-1'];
    const own = ['--kms-endpoint', keeper.url, '--kms-ca', keeper.caFile];
    const args = [...place, ...own, '--kms-credentials', file];
    return { kind: 'aws-kms', args, openArgs: [], keeper };
  },
  vault: async (t) => {
    const keeper = await startLocalVault(t, VAULT_TOKEN);
    const file = secretFile(temporaryFolder(t), 'token', `${VAULT_TOKEN}\n`);
    const place = ['--vault-url', keeper.url, '--vault-ca', keeper.caFile];
    const args = [...place, '--vault-key', 'holdfast', '--vault-token-file', file];
    return { kind: 'vault', args, openArgs: [], keeper };
  },
};

const PORTS = ['--broker-port', '0', '--api-port', '0', '--enroll-port', '0'];

async function refusedStart(dataDir: string, args: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await holdfast(['up', '--data', dataDir, ...PORTS, ...args]);
  assert.notEqual(code, 0, stdout);
  return stderr;
}

for (const [kind, keptBy] of Object.entries(KEPT)) {
  test(`${kind}: a folder opens by its keeper, and by nothing else`, async (t) => {
    const kept = await keptBy(t);
    const dataDir = join(temporaryFolder(t), 'data');
    const server = await startServer(t, { dataDir, args: ['--custody', kind, ...kept.args] });
    await server.client().addDevice({ id: 'pump-1', class: 'sensor' });
    await server.stop();
    assert.equal(existsSync(join(dataDir, 'unseal.key')), kind === 'file');
    const again = await startServer(t, { dataDir, args: kept.openArgs });
    assert.equal((await again.client().device('pump-1')).device.id, 'pump-1');
    await again.stop();

    // Nothing in the folder says the secret that opens it.
    for (const name of readdirSync(dataDir)) {
      const bytes = readFileSync(join(dataDir, name), 'latin1');
      for (const secret of [PASSPHRASE, VAULT_TOKEN, KMS_CREDENTIALS.secretAccessKey]) {
        assert.ok(!bytes.includes(secret), name);
      }
    }
    if (kind === 'file') return;

    // A flipped bit, and the wrapped key of another folder.
    const path = join(dataDir, 'custody.json');
    const custody = JSON.parse(readFileSync(path, 'utf8'));
    const flipped = Buffer.from(String(custody.wrapped).replace('vault:v1:', ''), 'base64');
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    const prefix = kind === 'vault' ? 'vault:v1:' : '';
    const broken = { ...custody, wrapped: prefix + flipped.toString('base64') };
    const elsewhere = { ...custody, folderId: '0'.repeat(32) };
    for (const changed of [broken, elsewhere]) {
      writeFileSync(path, JSON.stringify(changed), { mode: 0o600 });
      const text = await refusedStart(dataDir, kept.openArgs);
      assert.match(text, /E_CRYPTO_(PASSPHRASE|KEEPER)/u);
      assert.match(text, /fix /u);
    }
    writeFileSync(path, JSON.stringify(custody), { mode: 0o600 });
    await startServer(t, { dataDir, args: kept.openArgs });
  });
}

for (const kind of ['aws-kms', 'vault'] as const) {
  test(`${kind}: a keeper that denies, lies or is away`, async (t) => {
    const kept = await KEPT[kind]?.(t);
    assert.ok(kept?.keeper !== undefined);
    const { keeper } = kept;
    const dataDir = join(temporaryFolder(t), 'data');
    keeper.isLying = true;
    const lied = await refusedStart(dataDir, ['--custody', kind, ...kept.args]);
    assert.match(lied, /E_CRYPTO_KEEPER_ANSWER/u);
    assert.ok(!existsSync(join(dataDir, 'custody.json')), 'a liar gets nothing to keep');
    keeper.isLying = false;
    const server = await startServer(t, { dataDir, args: ['--custody', kind, ...kept.args] });
    await server.stop();
    keeper.isDenied = true;
    assert.match(await refusedStart(dataDir), /E_CRYPTO_KEEPER_DENIED/u);
    keeper.isDenied = false;
    keeper.isLying = true;
    assert.match(await refusedStart(dataDir), /E_CRYPTO_OPEN/u);
    keeper.isLying = false;
    await keeper.close();
    const away = await refusedStart(dataDir);
    assert.match(away, /E_CRYPTO_KEEPER\b/u);
    assert.doesNotMatch(away, /4711/u, 'no secret is in the message');
  });
}

test('custody goes from keeper to keeper, and the data stays', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const server = await startServer(t, { dataDir });
  await server.client().addDevice({ id: 'pump-1', class: 'sensor' });
  const running = await holdfast(['keys', 'set-custody', 'file', '--data', dataDir]);
  assert.match(running.stderr, /E_PERSISTENCE_IN_USE/u);
  await server.stop();
  const unsealKey = readFileSync(join(dataDir, 'unseal.key'));
  let open: readonly string[] = [];
  for (const kind of ['passphrase', 'aws-kms', 'vault', 'file']) {
    const kept = (await KEPT[kind]?.(t)) ?? assert.fail(kind);
    const to = ['keys', 'set-custody', kind, '--data', dataDir, ...open, ...kept.args];
    const { code, stdout, stderr } = await holdfast([...new Set(to)]);
    assert.equal(code, 0, stdout + stderr);
    assert.equal(existsSync(join(dataDir, 'unseal.key')), kind === 'file');
    open = kept.openArgs;
    const shown = await holdfast(['keys', 'custody', '--json', '--data', dataDir]);
    assert.equal(JSON.parse(shown.stdout).kind, kind);
  }
  assert.deepEqual(readFileSync(join(dataDir, 'unseal.key')), unsealKey);
  const again = await startServer(t, { dataDir });
  assert.equal((await again.client().device('pump-1')).device.id, 'pump-1');
  const { stdout } = await again.cli(['audit', 'acts', '--json']);
  assert.equal(stdout.match(/keys\.change-custody/gu)?.length, 4);
});

test('two of three shares open a folder whose keeper is lost', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const kept = await KEPT['passphrase']?.(t);
  const args = ['--custody', 'passphrase', ...(kept?.args ?? [])];
  await (await startServer(t, { dataDir, args })).stop();
  const open = kept?.openArgs ?? [];
  const piped = await holdfast(['keys', 'escrow', '--data', dataDir, ...open]);
  assert.equal(piped.code, 2, 'shares are not written where nobody sees them');
  const out = join(folder, 'share');
  const made = await holdfast(['keys', 'escrow', '--data', dataDir, '--out', out, ...open]);
  assert.equal(made.code, 0, made.stderr);
  assert.doesNotMatch(made.stdout, /HFS1/u);
  const shares = [1, 2, 3].map((at) => `${out}-${at}`);
  const recover = (files: readonly string[]) =>
    holdfast([
      'keys',
      'recover',
      '--data',
      dataDir,
      ...files.flatMap((file) => ['--share-file', file]),
    ]);
  const alone = await recover(shares.slice(0, 1));
  assert.match(alone.stderr, /E_CRYPTO_SHARE/u);
  assert.ok(!existsSync(join(dataDir, 'unseal.key')));
  const joined = await recover([shares[0] ?? '', shares[2] ?? '']);
  assert.equal(joined.code, 0, joined.stderr);
  const server = await startServer(t, { dataDir });
  const { stdout } = await server.cli(['audit', 'acts', '--json']);
  assert.match(stdout, /keys\.escrow/u);
  assert.match(stdout, /keys\.recover/u);
  await server.stop();

  // The shares of another folder fit together, and open nothing here.
  const other = join(folder, 'other');
  await (await startServer(t, { dataDir: other })).stop();
  const foreign = join(folder, 'foreign');
  await holdfast(['keys', 'escrow', '--data', other, '--out', foreign]);
  const refused = await recover([`${foreign}-1`, `${foreign}-2`]);
  assert.match(refused.stderr, /E_CRYPTO_SHARE/u);
  assert.match(refused.stderr, /do not open this data folder/u);
});
