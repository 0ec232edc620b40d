/** `fw release` in the formats of other update systems, and known vulnerabilities, by the commands. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readMcuboot, readSuit } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { type ServerProcess, holdfast, run, startServer, temporaryFolder } from '@holdfast/testkit';

/** A server with the first ceremony done, and a folder to work in. */
class Shop {
  readonly folder: string;
  readonly server: ServerProcess;

  private constructor(folder: string, server: ServerProcess) {
    this.folder = folder;
    this.server = server;
  }

  static async open(t: TestContext): Promise<Shop> {
    const folder = temporaryFolder(t);
    const shop = new Shop(folder, await startServer(t, { dataDir: join(folder, 'data') }));
    writeFileSync(shop.at('passphrase'), 'a long passphrase for tests\n', { mode: 0o600 });
    for (const name of ['alice', 'bob']) await shop.ok('fw', 'key', 'make', `${name}.key`);
    await shop.ok('fw', 'key', 'make', 'release.key', '--type', 'ecdsa-p256');
    const signers = ['--signer', 'alice.pub.json', '--signer', 'bob.pub.json'];
    const line = ['--line', 'thermo=release.pub.json:1'];
    await shop.ok('fw', 'init', ...signers, ...line, '--out', 'init.json');
    for (const name of ['alice', 'bob']) {
      await shop.ok('fw', 'sign', 'init.json', '--key', `${name}.key`, '--yes');
    }
    await shop.ok('fw', 'submit', 'init.alice.sig.json', 'init.bob.sig.json');
    return shop;
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  cli(args: readonly string[]) {
    const needsSecret = args.includes('make') || args.includes('--key');
    const secret = needsSecret ? ['--passphrase-file', this.at('passphrase')] : [];
    const env = { ...process.env, HOLDFAST_DATA: this.server.dataDir };
    return holdfast([...args, ...secret], { cwd: this.folder, env });
  }

  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(args);
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout + stderr;
  }

  release(file: string, version: string, ...more: string[]): string[] {
    const facts = ['--line', 'thermo', '--release-version', version, '--hardware', 'thermo-a'];
    const key = ['--key', 'release.key', '--yes'];
    return ['fw', 'release', file, ...facts, '--counter', '7', ...key, ...more];
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('fw release makes what other update systems need', async (t) => {
  const shop = await Shop.open(t);
  await t.test('formats that lack something bring nothing', () => refusesWrong(shop));
  await t.test('one artifact, in every form that was asked for', () => makesAll(shop));
  await t.test('known vulnerabilities are listed', () => listsVulnerabilities(shop));
});

async function makesAll(shop: Shop): Promise<void> {
  const code = randomBytes(200_000);
  writeFileSync(shop.at('v1.bin'), code);
  await shop.ok(...shop.release('v1.bin', '1.0.0'));
  code.fill(1, 50_000, 50_100);
  writeFileSync(shop.at('v2.bin'), code);
  const formats = ['--mcuboot', '--mcuboot-pad-header', '--suit', '--suit-vendor', 'example.com'];
  const said = await shop.ok(
    ...shop.release('v2.bin', '2.0.0', ...formats, '--delta-from', 'v1.bin'),
  );
  assert.match(said, /Published/u);

  const image = readFileSync(shop.at('thermo-2.0.0.mcuboot.bin'));
  const { publicKey: pem } = JSON.parse(readFileSync(shop.at('release.pub.json'), 'utf8'));
  writeFileSync(shop.at('release.pem'), pem);
  const keys = [createPublicKey(pem)];
  const read = readMcuboot(image, keys);
  assert.ok(!(read instanceof Refusal));
  assert.deepEqual([read.version.major, read.counter], [2, 7]);
  const suit = readFileSync(shop.at('thermo-2.0.0.suit'));
  const envelope = readSuit(suit, keys);
  assert.ok(!(envelope instanceof Refusal));
  assert.equal(envelope.manifest.sequence, 7);
  const signature = ['-signature', 'thermo-2.0.0.mcuboot.bin.sig', 'thermo-2.0.0.mcuboot.bin'];
  const dgst = ['dgst', '-sha256', '-verify', 'release.pem', ...signature];
  assert.equal((await run('openssl', dgst, { cwd: shop.folder })).code, 0);
  const sum = ['--check', 'thermo-2.0.0.mcuboot.bin.sha256'];
  assert.equal((await run('sha256sum', sum, { cwd: shop.folder })).code, 0);

  const releases = await shop.server.client().releases();
  const facts = releases.find(({ id }) => id === 'thermo@2.0.0')?.facts;
  assert.equal(facts?.suit?.sha256, sha256(suit));
  assert.equal(facts.detached?.[0]?.algorithm, 'ecdsa-p256-sha256');
  const [delta] = facts.deltas ?? [];
  assert.equal(delta?.from, sha256(readFileSync(shop.at('v1.bin'))));
  assert.ok(delta.length < 10_000, `${delta.length} bytes`);
}

async function refusesWrong(shop: Shop): Promise<void> {
  writeFileSync(shop.at('v1.bin'), randomBytes(1_000));
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [shop.release('v1.bin', '1.0.0', '--mcuboot'), /512 zeros/u],
    [shop.release('v1.bin', '1.0.0-rc1', '--mcuboot'), /no version/u],
    [shop.release('v1.bin', '1.0.0', '--suit'), /suit-vendor/u],
    [shop.release('v1.bin', '1.0.0', '--delta-from', 'nowhere.bin'), /nowhere/u],
    [shop.release('v1.bin', '1.0.0', '--suit').filter((arg) => !arg.endsWith('key')), /--key/u],
  ];
  for (const [args, text] of wrong) {
    const { code, stdout, stderr } = await shop.cli(args);
    assert.notEqual(code, 0, stdout);
    assert.match(stderr, text);
    assert.doesNotMatch(stderr, /\n\s+at /u);
  }
  assert.deepEqual(await shop.server.client().releases(), []);
}

async function listsVulnerabilities(shop: Shop): Promise<void> {
  const components = [
    {
      type: 'library',
      name: 'openssl',
      version: '3.0.9-1',
      purl: 'pkg:deb/debian/openssl@3.0.9-1?distro=debian-12',
    },
    { type: 'library', name: 'left-pad', version: '1.3.0', purl: 'pkg:npm/left-pad@1.3.0' },
    { type: 'library', name: 'own', version: '1' },
  ];
  const sbom = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components };
  writeFileSync(shop.at('sbom.json'), JSON.stringify(sbom));
  writeFileSync(shop.at('v3.bin'), randomBytes(1_000));
  await shop.ok(...shop.release('v3.bin', '3.0.0', '--sbom', 'sbom.json'));
  assert.match((await shop.cli(['fw', 'vulnerabilities', 'list'])).stderr, /Nothing is known/u);

  mkdirSync(shop.at('osv'));
  const events = [{ introduced: '0' }, { fixed: '3.0.10-1' }];
  const debian = {
    id: 'DSA-1',
    aliases: ['CVE-2026-7'],
    summary: 'It leaks.',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'openssl' },
        ranges: [{ type: 'ECOSYSTEM', events }],
      },
    ],
  };
  writeFileSync(shop.at('osv/DSA-1.json'), JSON.stringify(debian));
  writeFileSync(shop.at('osv/bad.json'), '{');
  const npm = {
    id: 'GHSA-1',
    affected: [{ package: { ecosystem: 'npm', name: 'left-pad' }, versions: ['1.2.0'] }],
  };
  writeFileSync(shop.at('more.ndjson'), `${JSON.stringify(npm)}\n`);
  const brought = await shop.ok('fw', 'vulnerabilities', 'import', 'osv', '--also', 'more.ndjson');
  assert.match(brought, /2 advisories count from now on/u);
  assert.match(brought, /1 records could not be read/u);

  const listed = await shop.ok('fw', 'vulnerabilities', 'list', '--release', 'thermo@3.0.0');
  assert.match(listed, /thermo@3.0.0: 1 known, on 0 devices/u);
  assert.match(listed, /critical\s+openssl 3.0.9-1\s+DSA-1 CVE-2026-7\s+It leaks./u);
  assert.match(listed, /1 of 3 components have no known ecosystem/u);
  const acts = await shop.server.client().acts({ limit: 20 });
  assert.ok(acts.some(({ action }) => action === 'update.import-advisories'));

  debian.affected[0]?.ranges[0]?.events.pop();
  debian.affected = debian.affected.map((item) => ({
    ...item,
    package: { ecosystem: 'Debian:11', name: 'openssl' },
  }));
  writeFileSync(shop.at('osv/DSA-1.json'), JSON.stringify(debian));
  await shop.ok('fw', 'vulnerabilities', 'import', 'osv/DSA-1.json');
  assert.match(await shop.ok('fw', 'vulnerabilities', 'list'), /thermo@3.0.0: 0 known/u);

  const { sha256: sbomSha256 } = (await shop.server.client().releases()).at(-1)?.facts.sbom ?? {};
  const noList = shop.server.client().importAdvisories(sbomSha256 ?? '');
  await assert.rejects(noList, { code: 'E_UPDATE_ADVISORIES' });
}
