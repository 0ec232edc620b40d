/** Backups as an operator makes them: by the command, with a server that is killed meanwhile. @module */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyData } from '@holdfast/server';
import {
  type ServerProcess,
  holdfast,
  mosquittoTls,
  run,
  signPayload,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';
import { parquetReadObjects } from 'hyparquet';

const ID = 'valve-7';
/** Bytes of a note that do not compress: so a backup takes some time. */
const NOTE_BYTES = 22_000;
/** How often the test may be too late to kill the server in a backup. */
const ATTEMPTS_MAX = 5;

/** Lets a gateway report. */
async function report(
  server: ServerProcess,
  bundle: string,
  { count, from, noteBytes = 0 }: { count: number; from: number; noteBytes?: number },
): Promise<void> {
  const lines = Array.from({ length: count }, (_, n) =>
    signPayload(bundle, {
      ctr: from + n,
      flow: n,
      note: `=${randomBytes(noteBytes).toString('base64')}`,
    }),
  );
  const args = [...mosquittoTls(bundle, server.ports.broker), '-i', ID, '-q', '1', '-l'];
  const sent = await run('mosquitto_pub', [...args, '-t', `d/${ID}/telemetry`], {
    input: `${lines.join('\n')}\n`,
  });
  assert.equal(sent.code, 0, sent.stderr);
}

async function enroll(server: ServerProcess, bundle: string): Promise<void> {
  const added = await server.cli(['device', 'add', ID, '--class', 'gateway', '--json']);
  const { text } = (JSON.parse(added.stdout) as { claim: { text: string } }).claim;
  const args = ['device', 'enroll', '--claim', '-', '--out', bundle];
  const enrolled = await holdfast(args, { input: text });
  assert.equal(enrolled.code, 0, enrolled.stderr);
}

test('a server that is killed in a backup goes on with it, and what is restored runs', async (t) => {
  const folder = temporaryFolder(t);
  const [dataDir, bundle] = [join(folder, 'data'), join(folder, 'bundle')];
  const backups = join(folder, 'backups');
  const to = `folder:${backups}`;
  let server = await startServer(t, { dataDir });
  await enroll(server, bundle);
  // A backup takes half a second: a test that gets no time meanwhile kills the server in the next.
  for (let attempt = 0; ; attempt += 1) {
    await report(server, bundle, { count: 900, from: 1 + attempt * 900, noteBytes: NOTE_BYTES });
    const there = chunksIn(backups).length;
    const made = manifestsIn(backups).length;
    const client = server.client();
    await client.makeBackup({ to });
    await waitFor('some chunks', () => chunksIn(backups).length >= there + 2);
    client.close();
    await server.stop('SIGKILL');
    // Half a backup is none.
    if (manifestsIn(backups).length === made) break;
    assert.ok(attempt < ATTEMPTS_MAX, 'the server made each backup before it was killed');
    server = await startServer(t, { dataDir });
  }
  const before = chunksIn(backups);

  const again = await startServer(t, { dataDir });
  const made = await again.cli(['backup', 'make', '--to', to, '--json']);
  assert.equal(made.code, 0, made.stderr);
  const facts = JSON.parse(made.stdout) as { bytes: number; newBytes: number; backup: string };
  assert.ok(facts.newBytes < facts.bytes, 'what was there was not written again');
  const after = new Set(chunksIn(backups));
  assert.ok(before.every((chunk) => after.has(chunk)));

  const drill = await again.cli(['backup', 'drill', '--from', to]);
  assert.equal(drill.code, 0, drill.stderr);
  assert.match((await again.cli(['status'])).stdout, /backup .* a restore worked/u);
  assert.match(
    (await again.cli(['backup', 'list', '--from', to])).stdout,
    /key kept by: data folder/u,
  );

  await again.stop();
  rmSync(join(dataDir, 'registry.db'));
  const restored = join(folder, 'restored');
  const key = readFileSync(join(dataDir, 'log.pub'), 'utf8').trim();
  const unsealKey = join(dataDir, 'unseal.key');
  const args = ['restore', '--from', to, '--data', restored, '--unseal-key', unsealKey];
  const restoring = await holdfast([...args, '--key', key]);
  assert.equal(restoring.code, 0, restoring.stderr);
  assert.match(restoring.stdout, /Whatever happened since is not in it/u);
  assert.match((await holdfast(args)).stderr, /E_MAIN_RESTORE_TARGET/u);
  assert.equal(statSync(restored).mode & 0o077, 0);

  const third = await startServer(t, { dataDir: restored });
  const readings = JSON.parse(
    (await third.cli(['readings', ID, '--json'])).stdout.split('\n')[0] ?? '',
  ) as object;
  assert.ok(Object.keys(readings).length > 0);
  await reportOnceMore(third, bundle);
  await third.stop();
  const { ok, findings } = await verifyData({ dataDir: restored, verifierKey: key });
  assert.ok(ok, JSON.stringify(findings));
});

/** The device goes on with the restored server: its counters are above those that are known. */
async function reportOnceMore(server: ServerProcess, bundle: string): Promise<void> {
  await report(server, bundle, { count: 1, from: 10_000 });
  const acts = (await server.cli(['audit', 'acts', '--limit', '20'])).stdout;
  assert.match(acts, /server\.restore/u);
}

test('an export is a file in each format, and on the log with its rows', async (t) => {
  const folder = temporaryFolder(t);
  const [dataDir, bundle] = [join(folder, 'data'), join(folder, 'bundle')];
  const server = await startServer(t, { dataDir });
  await enroll(server, bundle);
  await report(server, bundle, { count: 1_201, from: 1 });
  const out = (format: string): string => join(folder, `readings.${format}`);
  for (const format of ['ndjson', 'csv', 'parquet']) {
    const args = ['export', 'readings', '--format', format, '--out', out(format)];
    const exported = await server.cli(args);
    assert.equal(exported.code, 0, exported.stderr);
    assert.equal(statSync(out(format)).mode & 0o077, 0);
  }
  const lines = readFileSync(out('ndjson'), 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 1_201);
  const rows = await parquetReadObjects({
    file: new Uint8Array(readFileSync(out('parquet'))).buffer,
  });
  assert.equal(rows.length, 1_201);
  const newest = JSON.parse(lines[0] ?? '') as { payload: string };
  assert.equal(rows[0]?.['payload'], newest.payload);
  const python = 'import csv, sys; print(len(list(csv.reader(open(sys.argv[1], newline="")))))';
  const read = await run('/usr/bin/python3', ['-c', python, out('csv')]);
  assert.equal(read.stdout.trim(), '1202', read.stderr);

  const later = [
    'export',
    'devices',
    '--format',
    'csv',
    '--from',
    '2126-01-01',
    '--out',
    out('no'),
  ];
  assert.equal((await server.cli(later)).code, 0);
  assert.equal(readFileSync(out('no'), 'utf8').split('\r\n').length, 2);
  const unknown = ['export', 'readings', '--device', 'nobody', '--out', out('x')];
  assert.match((await server.cli(unknown)).stderr, /E_OPERATE_NOT_FOUND/u);

  const acts = join(folder, 'acts.ndjson');
  await server.cli(['export', 'acts', '--out', acts]);
  const ended = readFileSync(acts, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string; facts: string })
    .filter(({ action }) => action === 'export.end')
    .map(({ facts }) => JSON.parse(facts) as { kind: string; rows: number; isComplete: boolean });
  assert.deepEqual(
    ended.map(({ kind, rows, isComplete }) => [kind, rows, isComplete]),
    [
      ['devices', 0, true],
      ['readings', 1_201, true],
      ['readings', 1_201, true],
      ['readings', 1_201, true],
    ],
  );
});

function manifestsIn(folder: string): string[] {
  const manifests = join(folder, 'backups');
  const names = existsSync(manifests) ? readdirSync(manifests) : [];
  return names.filter((name) => !name.includes('~'));
}

function chunksIn(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'chunks'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.includes('~'))
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
