/**
 * A disk that fails now and then, played by a layer before the C library (`faulty-disk.c`): short
 * writes, EIO and ENOSPC at random writes and syncs of the log and of the state of the broker, and
 * SIGKILLs in between. Nothing that was acknowledged is lost, and the log verifies.
 *
 * It is a layer before the calls, no real disk: what was written stays written although its sync
 * failed, and the order of writes is kept.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bundle, enroll } from '@holdfast/device';
import { holdfast, startServer, storedCounters, temporaryFolder, waitFor } from '@holdfast/testkit';
import { startFlood } from './kill-clients.ts';
import { seedOfRun, seededRandom } from './seeded.ts';

const ROUNDS = 3;
const FAULTS_PER_ROUND = 5;
/** One write of so many fails; a commit under load has some dozens. */
const FAULT_EVERY = 200;

test('a disk that fails now and then loses nothing that was acknowledged', async (t) => {
  const folder = temporaryFolder(t);
  const library = join(folder, 'faulty-disk.so');
  const source = join(import.meta.dirname, 'faulty-disk.c');
  const compiled = spawnSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  if (compiled.error !== undefined) return t.skip('there is no gcc to compile the layer with');
  assert.equal(compiled.status, 0, String(compiled.stderr));
  const seed = seedOfRun();
  t.diagnostic(`HOLDFAST_SEED=${seed}`);
  const random = seededRandom(seed);
  const dataDir = join(folder, 'data');
  const faultSwitch = join(folder, 'faulty');
  const notes = join(folder, 'faults');
  const faults = (): string => (existsSync(notes) ? readFileSync(notes, 'latin1') : '');
  const start = (ports: readonly number[]) => {
    const names = ['broker', 'api', 'enroll'];
    return startServer(t, {
      dataDir,
      args: ports.flatMap((port, at) => [`--${names[at]}-port`, String(port)]),
      env: {
        LD_PRELOAD: library,
        FAULT_FILES: '/log.db:/broker.db',
        FAULT_SWITCH: faultSwitch,
        FAULT_NOTES: notes,
        FAULT_EVERY: String(FAULT_EVERY),
        FAULT_SEED: String(Math.floor(random() * 2 ** 32)),
      },
    });
  };
  let server = await start([]);
  const ports = [server.ports.broker, server.ports.api, server.ports.enroll];
  const api = server.client();
  const add = async (id: string): Promise<Bundle> => {
    const { claim } = await api.addDevice({ id, class: 'gateway' });
    return enroll({ claim: claim.text, out: join(folder, id) });
  };
  const bundles = [await add('meter-1'), await add('meter-2')] as const;
  api.close();
  const floods = [startFlood(t, bundles[0], 1), startFlood(t, bundles[1], 2)];
  const counts = (): number[] => floods.map(({ acknowledged }) => acknowledged().length);
  let failedCount = 0;

  for (let round = 1; round <= ROUNDS; round += 1) {
    const before = { faults: faults().length, counts: counts() };
    // It has to start: what a start does when the disk fails is another question.
    writeFileSync(faultSwitch, '');
    await waitFor(
      'faults, and messages between them',
      () =>
        faults().length >= before.faults + FAULTS_PER_ROUND &&
        counts().every((count, at) => count > (before.counts[at] ?? 0) + 100),
    );
    await new Promise((resolve) => {
      setTimeout(resolve, random() * 500);
    });
    await server.stop('SIGKILL');
    failedCount += server.output.stdout.split('journal cannot store').length - 1;
    rmSync(faultSwitch);
    server = await start(ports);
  }
  const reached = counts();
  await waitFor('all to go on without faults', () =>
    counts().every((count, at) => count > (reached[at] ?? 0) + 100),
  );
  await Promise.all(floods.map((flood) => flood.stop()));
  assert.ok(failedCount >= ROUNDS, 'the faults were felt');
  const client = server.client();
  t.after(() => client.close());
  for (const { bundle, acknowledged } of floods) {
    const stored = await storedCounters(client, bundle.device);
    const missing = acknowledged().filter((counter) => !stored.has(counter));
    assert.deepEqual(missing, [], bundle.device);
  }
  assert.equal((await server.stop()).code, 0);
  const verified = await holdfast(['audit', 'verify', '--data', dataDir, '--json']);
  const report = JSON.parse(verified.stdout) as { ok: boolean; messages: number };
  assert.ok(report.ok, verified.stdout);
  const kinds = Object.entries(Object.groupBy(faults(), (kind) => kind));
  const told = kinds.map(([kind, all]) => `${kind} ${all?.length ?? 0}`).join(', ');
  t.diagnostic(`${faults().length} faults (${told}), ${failedCount} failed commits,`);
  t.diagnostic(`${ROUNDS} kills; acknowledged ${counts().join(' and ')}, none lost`);
});
