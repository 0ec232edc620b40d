/**
 * A full disk, played by a limit on the size of files: nothing is acknowledged that is not stored,
 * the server says so and lives, and when space returns everything goes on.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  DEBIAN_PYTHON,
  collect,
  holdfast,
  run,
  startServer,
  storedCounters,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const ID = 'meter-9';
const ROOM_BYTES = 200_000;

test('a full disk loses nothing that was acknowledged, and is survived', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const bundle = join(folder, ID);
  const server = await startServer(t, { dataDir });
  const client = server.client();
  t.after(() => client.close());
  // A sensor may not send as fast as the load does.
  const { claim } = await client.addDevice({ id: ID, class: 'gateway' });
  const enrolled = await holdfast(['device', 'enroll', '--claim', '-', '--out', bundle], {
    input: claim.text,
  });
  assert.equal(enrolled.code, 0, enrolled.stderr);
  const limitFiles = async (bytes: string): Promise<void> => {
    const limited = await run('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}`]);
    assert.equal(limited.code, 0, limited.stderr);
  };
  const readiness = async (): Promise<string> => {
    const url = `https://localhost:${server.ports.api}/readyz`;
    const { stdout } = await run('curl', ['-s', '--cacert', join(bundle, 'ca.crt'), url]);
    return stdout.trim();
  };
  assert.equal(await readiness(), 'ready');

  const used = statSync(join(dataDir, 'log.db-wal')).size;
  await limitFiles(`${used + ROOM_BYTES}:unlimited`);
  const script = join(import.meta.dirname, 'load.py');
  const args = ['-u', script, bundle, String(server.ports.broker), ID, '1'];
  const load = spawn(DEBIAN_PYTHON, args);
  t.after(() => load.kill('SIGKILL'));
  const output = collect(load);
  const acknowledged = (): number[] => output.stdout.split('\n').slice(0, -1).map(Number);

  await waitFor('the disk to be full', async () => (await readiness()) === 'not ready');
  await waitFor('its word', () => server.output.stdout.includes('journal cannot store'));
  const act = () => server.cli(['device', 'add', 'other', '--class', 'sensor']);
  assert.notEqual((await act()).code, 0, 'an act that cannot be recorded is not done');
  // What waits for the disk is tried again as it is, and nothing overtakes it.
  const fitted = (await storedCounters(client, ID)).size;
  assert.ok(fitted > 0, 'what fitted was stored');
  await waitFor('its acknowledgements', () => acknowledged().length >= fitted);
  assert.notEqual((await act()).code, 0);
  assert.equal(acknowledged().length, fitted, 'nothing is acknowledged meanwhile');

  await limitFiles('unlimited:unlimited');
  await waitFor('acknowledgements to go on', () => acknowledged().length > fitted + 200);
  assert.equal(await readiness(), 'ready');
  load.kill('SIGKILL');
  await server.stop();

  const again = await startServer(t, { dataDir });
  const reader = again.client();
  t.after(() => reader.close());
  const stored = await storedCounters(reader, ID);
  assert.deepEqual(
    acknowledged().filter((counter) => !stored.has(counter)),
    [],
  );
  await again.stop();
  const verified = await holdfast(['audit', 'verify', '--data', dataDir]);
  assert.equal(verified.code, 0, verified.stdout);
});

test('a stop while the disk is full ends in time, and says so', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const server = await startServer(t, { dataDir });
  const used = statSync(join(dataDir, 'log.db-wal')).size;
  const limited = await run('prlimit', ['--pid', String(server.pid), `--fsize=${used}:unlimited`]);
  assert.equal(limited.code, 0, limited.stderr);
  // A refusal is what there is to store.
  const url = `https://localhost:${server.ports.api}/v1/devices`;
  await waitFor('the disk to be full', async () => {
    await run('curl', ['-sk', '-H', 'authorization: Bearer hf_x', url]);
    return server.output.stdout.includes('journal cannot store');
  });
  const { code } = await server.stop();
  assert.equal(code, 1);
  assert.match(server.output.stderr, /E_JOURNAL_UNAVAILABLE/u);
  const again = await startServer(t, { dataDir });
  assert.equal((await again.stop()).code, 0);
  const verified = await holdfast(['audit', 'verify', '--data', dataDir]);
  assert.equal(verified.code, 0, verified.stdout);
});
