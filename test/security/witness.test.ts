/**
 * A witness outside finds what the data folder alone cannot show: that all of it was set back, or
 * that its past was rewritten by somebody who has all its keys. The witness is the real command,
 * in a folder of its own, with nothing but a token and the public key of the log.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tilePath } from '@holdfast/protocol/merkle';
import {
  type Run,
  type ServerProcess,
  holdfast,
  startServer,
  temporaryFolder,
} from '@holdfast/testkit';

interface Access {
  readonly url: string;
  readonly token: string;
  readonly anchorPem: string;
}

function accessOf(dataDir: string): Access {
  return JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8')) as Access;
}

/** A witness on a machine of its own. */
class WitnessLab {
  readonly folder: string;
  readonly dataDir: string;
  readonly witness: string;
  readonly logKey: string;

  constructor(t: TestContext) {
    this.folder = temporaryFolder(t);
    this.dataDir = join(this.folder, 'data');
    this.witness = join(this.folder, 'witness');
    this.logKey = join(this.folder, 'log.pub');
  }

  /** Looks once, as a person far away would run it. */
  look(): Promise<Run> {
    const { url, token, anchorPem } = accessOf(this.dataDir);
    const [tokenFile, anchor] = [join(this.folder, 'token'), join(this.folder, 'anchor.pem')];
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    writeFileSync(anchor, anchorPem);
    const server = ['--url', url, '--ca', anchor, '--token-file', tokenFile];
    return this.run('--log-key', `@${this.logKey}`, ...server, '--once');
  }

  run(...args: readonly string[]): Promise<Run> {
    const home = { ...process.env, HOLDFAST_DATA: join(this.folder, 'nowhere') };
    return holdfast(['audit', 'witness', '--data', this.witness, ...args], { env: home });
  }

  /** The first look: makes the key, tells the server, and takes the log as it is. */
  async begin(server: ServerProcess): Promise<void> {
    writeFileSync(this.logKey, readFileSync(join(this.dataDir, 'log.pub')));
    const made = await this.run('--name', 'witness.example/1');
    assert.equal(made.code, 0, made.stderr);
    assert.equal(statSync(join(this.witness, 'witness.key')).mode & 0o777, 0o600);
    const stranger = await this.look();
    assert.equal(stranger.code, 1, 'the server does not know it yet');
    assert.match(stranger.stderr, /E_AUDIT_COSIGNATURE/);
    const added = await server.cli(['witness', 'add', `@${join(this.witness, 'witness.pub')}`]);
    assert.equal(added.code, 0, added.stderr);
    const first = await this.look();
    assert.equal(first.code, 0, first.stderr);
  }

  evidence(): string[] {
    return readdirSync(this.witness).filter((name) => name.startsWith('alarm-'));
  }
}

async function addDevices(server: ServerProcess, count: number, prefix: string): Promise<void> {
  const client = server.client();
  const ids = Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
  await Promise.all(ids.map((id) => client.addDevice({ id, class: 'sensor' })));
  client.close();
}

/** Asks for something of the log as anybody could, with a token or without. */
function fetchLog(
  { url, token, anchorPem }: Access,
  path: string,
  hasToken = true,
): Promise<{ status: number; caching: string; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = hasToken ? { authorization: `Bearer ${token}` } : {};
    const options = { ca: anchorPem, headers, agent: false };
    const request = get(`${url}/v1/log/${path}`, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const status = answer.statusCode ?? 0;
        const caching = answer.headers['cache-control'] ?? '';
        resolve({ status, caching, body: Buffer.concat(chunks) });
      });
    });
    request.on('error', reject);
  });
}

test('a log that grows is cosigned, and the server shows it', { timeout: 300_000 }, async (t) => {
  const lab = new WitnessLab(t);
  const server = await startServer(t, { dataDir: lab.dataDir });
  await lab.begin(server);
  await addDevices(server, 300, 'd');
  const again = await lab.look();
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /30\d entries, consistent, cosigned/);
  const status = await server.cli(['status']);
  assert.match(status.stdout, /witnessed +30\d entries/);
  const listed = await server.cli(['witness', 'list']);
  assert.match(listed.stdout, /witness\.example\/1 +30\d entries/);

  await t.test('tiles are static, and for those who may read them', async () => {
    const access = accessOf(lab.dataDir);
    const full = await fetchLog(access, tilePath({ level: 0, index: 0, width: 256 }));
    assert.deepEqual([full.status, full.body.length], [200, 8_192]);
    assert.match(full.caching, /immutable/);
    const top = await fetchLog(access, 'tile/1/000.p/1');
    assert.deepEqual([top.status, top.body.length, top.caching], [200, 32, 'no-store']);
    const part = await fetchLog(access, 'tile/0/001.p/40');
    assert.equal(part.body.length, 40 * 32);
    const checkpoint = await fetchLog(access, 'checkpoint');
    assert.match(checkpoint.body.toString('utf8'), /^holdfast\/.*\n30\d\n/);
    const wrong = [
      'tile/0/001',
      'tile/0/x000/001',
      'tile/7/000',
      'tile/0/..%2f000',
      'tile/0/000.p/0',
    ];
    for (const path of [...wrong, 'tile/entries/000', 'tile/0/x999/x999/x999/999']) {
      assert.equal((await fetchLog(access, path)).status, 404, path);
    }
    assert.equal((await fetchLog(access, 'tile/0/000', false)).status, 401);
    assert.equal((await fetchLog(access, 'checkpoint', false)).status, 401);
  });

  await t.test('without a server: a checkpoint and its tiles are enough', async () => {
    const access = accessOf(lab.dataDir);
    const tiles = join(lab.folder, 'tiles');
    await addDevices(server, 10, 'e');
    const client = server.client();
    const checkpoint = join(lab.folder, 'checkpoint.txt');
    writeFileSync(checkpoint, await client.checkpoint());
    client.close();
    const missing = await lab.run('--log-key', `@${lab.logKey}`, '--checkpoint', checkpoint);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /E_WITNESS_NO_PROOF/);
    const size = Number(readFileSync(checkpoint, 'utf8').split('\n')[1]);
    const names = [
      { level: 0, index: 0, width: 256 },
      { level: 0, index: 1, width: size - 256 },
      { level: 1, index: 0, width: 1 },
    ];
    for (const name of names) {
      const { body } = await fetchLog(access, tilePath(name));
      const path = join(tiles, tilePath(name));
      cpSync(lab.logKey, path, { recursive: true });
      writeFileSync(path, body);
    }
    const args = ['--log-key', `@${lab.logKey}`, '--checkpoint', checkpoint, '--tiles', tiles];
    const judged = await lab.run(...args);
    assert.equal(judged.code, 0, judged.stderr);
    assert.match(judged.stdout, /\n— witness\.example\/1 \S+\n$/);
  });
});

test('a whole folder that was set back shows at the witness', { timeout: 300_000 }, async (t) => {
  const lab = new WitnessLab(t);
  let server = await startServer(t, { dataDir: lab.dataDir });
  await lab.begin(server);
  await addDevices(server, 3, 'before');
  assert.equal((await server.stop()).code, 0);
  const older = join(lab.folder, 'older');
  cpSync(lab.dataDir, older, { recursive: true });
  server = await startServer(t, { dataDir: lab.dataDir });
  await addDevices(server, 20, 'after');
  assert.equal((await lab.look()).code, 0);
  assert.equal((await server.stop()).code, 0);

  rmSync(lab.dataDir, { recursive: true });
  cpSync(older, lab.dataDir, { recursive: true });
  server = await startServer(t, { dataDir: lab.dataDir });
  const verified = await holdfast(['audit', 'verify', '--data', older]);
  assert.equal(verified.code, 0, 'the folder alone shows nothing');
  const shorter = await lab.look();
  assert.equal(shorter.code, 1);
  assert.match(shorter.stderr, /ALARM/);
  assert.match(shorter.stderr, /E_WITNESS_ROLLED_BACK/);
  assert.equal(lab.evidence().length, 1, 'what proves it is kept');

  const status = await server.cli(['status']);
  assert.match(status.stdout, /witnessed +ALARM: a witness has seen another log/);
  const acts = await server.cli(['audit', 'acts']);
  assert.match(acts.stdout, /log\.behind-witness/);

  await addDevices(server, 40, 'other');
  const longer = await lab.look();
  assert.equal(longer.code, 1, 'a log that has grown past it is not the same one either');
  assert.match(longer.stderr, /E_WITNESS_SPLIT_VIEW/);
  const once = (await server.cli(['audit', 'acts', '--limit', '1000'])).stdout;
  assert.equal(once.match(/log\.behind-witness/g)?.length, 1, 'said once, not at each look');
  assert.equal((await server.stop()).code, 0);
});

test('a log of another key is none', { timeout: 300_000 }, async (t) => {
  const lab = new WitnessLab(t);
  const server = await startServer(t, { dataDir: lab.dataDir });
  await lab.begin(server);
  const other = new WitnessLab(t);
  const second = await startServer(t, { dataDir: other.dataDir });
  writeFileSync(lab.logKey, readFileSync(join(other.dataDir, 'log.pub')));
  const looked = await lab.look();
  assert.equal(looked.code, 1);
  assert.match(looked.stderr, /E_WITNESS_SIGNATURE/);
  await Promise.all([server.stop(), second.stop()]);
});
