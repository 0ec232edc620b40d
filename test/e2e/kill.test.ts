/**
 * Acknowledged is durable: the server is killed 20 times at random moments in the middle of a load
 * of QoS 1 publishes. After each restart, which nobody helps, all that was acknowledged is there;
 * at the end the log verifies.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  DEBIAN_PYTHON,
  collect,
  holdfast,
  startServer,
  storedCounters,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const KILLS = 20;
const ID = 'meter-7';

/** Publishes as fast as it can, and prints each counter once it is acknowledged. */
function startLoad(
  bundle: string,
  port: number,
  firstCounter: number,
): { stop: () => Promise<number[]>; acknowledged: () => number } {
  const script = join(import.meta.dirname, 'load.py');
  const child = spawn(DEBIAN_PYTHON, [
    '-u',
    script,
    bundle,
    String(port),
    ID,
    String(firstCounter),
  ]);
  const output = collect(child);
  const ended = new Promise((resolve) => {
    child.on('close', resolve);
  });
  const numbers = (): number[] => output.stdout.split('\n').slice(0, -1).map(Number);
  return {
    acknowledged: () => numbers().length,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
      return numbers();
    },
  };
}

test('20 SIGKILLs under load lose nothing that was acknowledged', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const bundle = join(folder, ID);
  let server = await startServer(t, { dataDir });
  const added = await server.cli(['device', 'add', ID, '--class', 'sensor', '--json']);
  const { text } = (JSON.parse(added.stdout) as { claim: { text: string } }).claim;
  const enrolled = await holdfast(['device', 'enroll', '--claim', text, '--out', bundle]);
  assert.equal(enrolled.code, 0, enrolled.stderr);

  const acknowledged = new Set<number>();
  let firstCounter = 1;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const load = startLoad(bundle, server.ports.broker, firstCounter);
    await waitFor('the load to flow', () => load.acknowledged() > 20, 20_000);
    await new Promise((resolve) => {
      setTimeout(resolve, Math.random() * 300);
    });
    await server.stop('SIGKILL');
    const counters = await load.stop();
    for (const counter of counters) acknowledged.add(counter);
    firstCounter = Math.max(...acknowledged) + 10_000;
    server = await startServer(t, { dataDir });
  }
  const client = server.client();
  const stored = await storedCounters(client, ID);
  client.close();
  const missing = [...acknowledged].filter((counter) => !stored.has(counter));
  assert.deepEqual(missing, []);
  await server.stop();
  const verified = await holdfast(['audit', 'verify', '--data', dataDir, '--json']);
  const report = JSON.parse(verified.stdout) as { ok: boolean; messages: number };
  assert.ok(report.ok, verified.stdout);
  t.diagnostic(`${acknowledged.size} acknowledged, ${report.messages} stored, ${KILLS} kills`);
});
