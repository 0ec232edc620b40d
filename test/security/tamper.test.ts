/**
 * Any change on the disk shows. Single bytes of the files are changed, all over them, and each
 * time the folder is verified offline: either the change is found and named, or it hit a byte that
 * means nothing, which an independent dump of the database proves.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { connect } from '@holdfast/device';
import { type VerifyReport, verifyData } from '@holdfast/server';
import {
  holdfast,
  mosquittoPub,
  run,
  signPayload,
  startInProcess,
  startServer,
  temporaryFolder,
} from '@holdfast/testkit';

const ID = 'valve-3';
const SAMPLES = 600;

/** Makes a data folder with readings, refusals and acts, over two runs of the server. */
async function makeData(
  t: Parameters<typeof temporaryFolder>[0],
  dataDir: string,
  bundle: string,
): Promise<void> {
  for (const round of [0, 1]) {
    const server = await startServer(t, { dataDir });
    if (round === 0) {
      const added = await server.cli(['device', 'add', ID, '--class', 'sensor', '--json']);
      const { text } = (JSON.parse(added.stdout) as { claim: { text: string } }).claim;
      const enrolled = await holdfast(['device', 'enroll', '--claim', '-', '--out', bundle], {
        input: text,
      });
      assert.equal(enrolled.code, 0, enrolled.stderr);
    }
    const port = server.ports.broker;
    const lines = Array.from({ length: 150 }, (_, n) =>
      signPayload(bundle, { ctr: round * 1_000 + n + 1, flow: n, note: 'n'.repeat(n) }),
    );
    const args = [
      '--cafile',
      'ca.crt',
      '--cert',
      'client.crt',
      '--key',
      'client.key',
      '-h',
      'localhost',
    ];
    const more = ['-p', String(port), '-i', ID, '-q', '1', '-t', `d/${ID}/telemetry`, '-l'];
    const sent = await run('mosquitto_pub', [...args, ...more], {
      cwd: bundle,
      input: `${lines.join('\n')}\n`,
    });
    assert.equal(sent.code, 0, sent.stderr);
    await mosquittoPub({ bundle, port, id: ID, topic: `d/${ID}/telemetry`, payload: '{}' });
    assert.equal((await server.stop()).code, 0);
  }
}

/** The findings, or the fault that the verification ended with. */
async function judge(
  dataDir: string,
): Promise<{ isClean: boolean; said: string; report?: VerifyReport }> {
  try {
    const report = await verifyData({ dataDir });
    const said = report.findings.map(({ what, entries }) => `${entries?.first ?? ''} ${what}`);
    return { isClean: report.ok, said: said.join('\n'), report };
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && 'fix' in error, String(error));
    return { isClean: false, said: `${String(error.code)}: ${error.message}` };
  }
}

/** All that the database means: every row of every table, and its schema. */
function dump(path: string): string | undefined {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database.prepare('SELECT name, sql FROM sqlite_master ORDER BY name').all();
    const rows = tables.map(({ name }) =>
      database.prepare(`SELECT * FROM "${String(name)}"`).all(),
    );
    const version = database.prepare('PRAGMA user_version').get();
    const asText = (_key: string, value: unknown): unknown =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
    return JSON.stringify([tables, rows, version], asText);
  } catch {
    return undefined;
  } finally {
    database.close();
  }
}

test('any change of the files is found', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const bundle = join(folder, ID);
  await makeData(t, dataDir, bundle);
  const before = snapshot(dataDir);
  const clean = await judge(dataDir);
  assert.ok(clean.isClean, clean.said);
  assert.deepEqual(snapshot(dataDir), before, 'verifying changes nothing');

  await t.test('a changed byte, anywhere in the log', async () => {
    const copy = join(folder, 'copy');
    cpSync(dataDir, copy, { recursive: true });
    const path = join(copy, 'log.db');
    const good = readFileSync(path);
    const meaning = dump(path);
    let found = 0;
    let named = 0;
    let meaningless = 0;
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const at = Math.floor(((sample + Math.random()) / SAMPLES) * good.length);
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ (1 << (sample % 8));
      writeFileSync(path, changed);
      const { isClean, said } = await judge(copy);
      if (isClean) {
        assert.equal(dump(path), meaning, `byte ${at} means something, and nobody noticed`);
        meaningless += 1;
      } else {
        found += 1;
        if (/^\d+ /m.test(said) || said.includes('checkpoint') || said.includes('tile')) named += 1;
      }
    }
    t.diagnostic(
      `${SAMPLES} single-bit changes over ${good.length} bytes: ${found} found, ${named} of them ` +
        `name an entry, a tile or a checkpoint; ${meaningless} hit bytes without meaning`,
    );
    assert.ok(found > SAMPLES / 3);
    assert.ok(named > found * 0.9, 'most changes are named, not only noticed');
  });

  await t.test('a changed byte in the schema of any table of the log', async () => {
    const copy = join(folder, 'copy-schema');
    cpSync(dataDir, copy, { recursive: true });
    const path = join(copy, 'log.db');
    const good = readFileSync(path);
    const meaning = dump(path);
    // The first page is the schema: names of columns in tables that are empty stand there, too,
    // which nothing that is read would stumble over. A random sample finds them once in a while.
    let found = 0;
    for (let at = good.indexOf('CREATE TABLE') - 400; at < 4_096; at += 1) {
      if (at < 0) continue;
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(path, changed);
      if ((await judge(copy)).isClean) assert.equal(dump(path), meaning, `byte ${at} went unseen`);
      else found += 1;
    }
    assert.ok(found > 900, `${found} found`);
  });

  await t.test('the type of a column of any table of the log', async () => {
    const copy = join(folder, 'copy-type');
    cpSync(dataDir, copy, { recursive: true });
    const path = join(copy, 'log.db');
    const good = readFileSync(path);
    let tables = 0;
    for (let at = good.indexOf('CREATE TABLE'); at !== -1; at = good.indexOf('CREATE TABLE', at)) {
      at = good.indexOf('INTEGER', at);
      const changed = Buffer.from(good);
      changed.write('INTEFER', at);
      writeFileSync(path, changed);
      const { isClean, said } = await judge(copy);
      assert.ok(!isClean);
      assert.match(said, /malformed|cannot be (read|opened)/);
      tables += 1;
    }
    assert.equal(tables, 7);
  });

  await t.test('a changed byte, anywhere in the registry', async () => {
    const copy = join(folder, 'copy-2');
    cpSync(dataDir, copy, { recursive: true });
    const path = join(copy, 'registry.db');
    const good = readFileSync(path);
    const keyBytes = ['key_encryption_key', 'data_key'];
    for (const table of keyBytes) {
      const database = new DatabaseSync(path);
      database.exec(`UPDATE ${table} SET wrapped = zeroblob(length(wrapped))`);
      database.close();
      const { isClean, said } = await judge(copy);
      assert.ok(!isClean, table);
      assert.match(said, /does not open|E_CRYPTO_OPEN/);
      writeFileSync(path, good);
    }
    assert.ok((await judge(copy)).isClean);
  });

  await t.test('the CLI says which entry, and exits with an error', async () => {
    const copy = join(folder, 'copy-3');
    cpSync(dataDir, copy, { recursive: true });
    const database = new DatabaseSync(join(copy, 'log.db'));
    const row = database
      .prepare('SELECT first, sealed FROM batch ORDER BY first LIMIT 1 OFFSET 3')
      .get();
    assert.ok(row?.['sealed'] instanceof Uint8Array);
    const sealed = Buffer.from(row['sealed']);
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    database
      .prepare('UPDATE batch SET sealed = ? WHERE first = ?')
      .run(sealed, Number(row['first']));
    database.close();
    const verified = await holdfast(['audit', 'verify', '--data', copy]);
    assert.equal(verified.code, 1, verified.stdout);
    assert.match(verified.stdout + verified.stderr, new RegExp(`\\b${Number(row['first'])}\\b`));
  });

  await t.test('another key, a running server, and no data folder at all', async () => {
    const foreign = 'holdfast/x+1d5a1e9c+AcX0vVtH0sOdDTIXY1yK0N2kPpXfpkM3XQ0m0lYy8m3t';
    const wrongKey = await holdfast(['audit', 'verify', '--data', dataDir, '--key', foreign]);
    assert.equal(wrongKey.code, 1, wrongKey.stdout);
    const server = await startServer(t, { dataDir });
    const running = await server.cli(['audit', 'verify']);
    assert.equal(running.code, 0, running.stderr);
    assert.match(running.stdout, /what the server says of itself/);
    await server.stop('SIGKILL');
    const afterKill = snapshot(dataDir);
    const killed = await holdfast(['audit', 'verify', '--data', dataDir]);
    assert.equal(killed.code, 0, killed.stdout + killed.stderr);
    assert.deepEqual(snapshot(dataDir), afterKill, 'verifying after a kill changes nothing');
    const nothing = await holdfast(['audit', 'verify', '--data', join(folder, 'nowhere')]);
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /E_MAIN_NO_DATA/);
  });
});

test('what a device sent cannot be passed off as what an erased one did', async (t) => {
  const server = await startInProcess(t);
  for (const id of ['gone-1', 'kept-1']) {
    const device = connect({ bundle: await server.enroll(id) });
    for (let n = 0; n < 3; n += 1) await device.publish({ n });
    await device.close();
  }
  await server.client.eraseDevice('gone-1', 'asked for by its owner');
  await server.stop();
  const { dataDir } = server;
  const before = await judge(dataDir);
  assert.equal(before.said, '');
  assert.equal(before.report?.erased, 3);

  const registry = new DatabaseSync(join(dataDir, 'registry.db'), { readOnly: true });
  const keys = `SELECT ref FROM data_key WHERE purpose = 'device' AND wrapped IS`;
  const gone = Number(registry.prepare(`${keys} NULL`).get()?.['ref']);
  const kept = Number(registry.prepare(`${keys} NOT NULL ORDER BY ref`).get()?.['ref']);
  registry.close();
  const log = new DatabaseSync(join(dataDir, 'log.db'));
  const refAt = (ref: number): Buffer => Buffer.of(0, 0, ref >> 8, ref & 255);
  const { changes } = log
    .prepare(
      'UPDATE batch SET sealed = CAST(? || substr(sealed, 5) AS BLOB) WHERE substr(sealed, 1, 4) = ?',
    )
    .run(refAt(gone), refAt(kept));
  log.close();
  assert.equal(changes, 3);
  const { said } = await judge(dataDir);
  assert.equal(said.match(/segments were relabeled/gu)?.length, 3, said);
  assert.match(said, /does not open/u);
});

function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => {
      const path = join(folder, name);
      return [name, `${statSync(path).size} ${readFileSync(path).toString('base64').slice(-64)}`];
    }),
  );
}
