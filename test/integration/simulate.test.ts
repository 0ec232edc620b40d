/** `holdfast simulate` against a real server: readings, refusals of each kind, commands, removal. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type InProcessServer,
  type Run,
  type ServerClock,
  collect,
  holdfast,
  startInProcess,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const COMMAND = join(import.meta.dirname, '../../packages/cli/bin/holdfast.js');
/** The minute for which a flood is borne takes fifteen seconds. */
const HASTE = 4;
const WAIT_MS = 180_000;

/** A clock on which waiting takes less time. The time of the day is the real one, as for devices. */
function hastyClock(): NonNullable<ServerClock> {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now() * HASTE,
    after: (delayMs, task) => {
      const timer = setTimeout(task, delayMs / HASTE).unref();
      return () => clearTimeout(timer);
    },
  };
}

interface Simulation {
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** As Ctrl-C does. @returns the exit code. */
  interrupt(): Promise<number | null>;
}

function environment(home: string): NodeJS.ProcessEnv {
  return { ...process.env, XDG_STATE_HOME: join(home, 'state'), HOME: home };
}

function simulate(
  t: TestContext,
  { dataDir }: InProcessServer,
  { home, args }: { home: string; args: readonly string[] },
): Simulation {
  const child: ChildProcess = spawn(
    process.execPath,
    [COMMAND, 'simulate', '--data', dataDir, ...args],
    { env: environment(home), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const output = collect(child);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    output,
    interrupt: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

function remove(server: InProcessServer, home: string, args: readonly string[]): Promise<Run> {
  const all = ['simulate', 'remove', '--data', server.dataDir, ...args];
  return holdfast(all, { env: environment(home) });
}

test('twelve devices live, four misbehave and are refused, and nothing is left', async (t) => {
  const server = await startInProcess(t, { clock: hastyClock() });
  const { client } = server;
  const home = temporaryFolder(t);
  const args = ['--devices', '12', '--misbehave', '4', '--rate', '60', '--backfill', '1h'];
  const simulation = simulate(t, server, { home, args });
  const { output } = simulation;
  await waitFor('the history', () => output.stderr.includes('readings marked late'), WAIT_MS);
  assert.match(output.stderr, /12 devices enrolled in/);

  const devices = await client.devices({ group: 'simulated' });
  assert.equal(devices.length, 12);
  assert.ok(devices.every(({ id }) => /^sim-1-thermostat-00\d\d$/.test(id)));
  assert.ok(devices.every(({ tags }) => tags?.includes('simulated')));
  const misdeeds = [...output.stderr.matchAll(/^ {2}(sim-\S+) {2}(.*)$/gm)];
  assert.deepEqual(
    misdeeds.map(([, , what]) => what),
    [
      'alters payloads after they are signed',
      'sends old messages again',
      'publishes as another device',
      'sends more than it may',
    ],
  );
  const [tampering, replaying, spoofing, flooding] = misdeeds.map(([, id]) => id);

  const expected = [
    ['E_VERIFY_SIG', tampering],
    ['E_VERIFY_REPLAY', replaying],
    ['E_AUTHORIZE_PUBLISH', spoofing],
    ['E_SESSION_RATE', flooding],
  ] as const;
  for (const [code, id] of expected) {
    const found = await waitFor(
      `${code} of ${id}`,
      async () => (await client.refusals({ limit: 1_000 })).find((one) => one.code === code),
      WAIT_MS,
    );
    assert.equal(found.principal, id, code);
  }
  const refusals = await client.refusals({ limit: 1_000 });
  // In haste, the server has little patience with who connects while the machine is busy.
  const late = new Set(['E_SESSION_TIMEOUT', 'E_WIRE_TIMEOUT']);
  const codes = new Set(refusals.map(({ code }) => code).filter((code) => !late.has(code)));
  assert.deepEqual([...codes].toSorted(), expected.map(([code]) => code).toSorted());

  const bad = new Set(misdeeds.map(([, id]) => id));
  const good = devices.find(({ id }) => !bad.has(id))?.id ?? '';
  await waitFor('a command to arrive', async () => {
    const { receivers } = await client.sendCommand(good, { name: 'set', body: { target: 28 } });
    return receivers === 1;
  });
  const answered = await waitFor('the answer', async () => {
    const readings = await client.readings(good, { limit: 100 });
    return readings.find(({ topic }) => topic === `d/${good}/ack/set`);
  });
  assert.equal((JSON.parse(answered.payload) as { ok: boolean }).ok, true);
  await waitFor('the new set point in a reading', async () => {
    const readings = await client.readings(good, { limit: 20 });
    return readings.some(({ payload }) => payload.includes('"setpoint": 28'));
  });

  const folder = join(home, 'state', 'holdfast', 'simulated');
  const [name = ''] = readdirSync(folder);
  assert.equal(statSync(join(folder, name)).mode & 0o777, 0o700);
  const refused = await remove(server, home, ['--yes']);
  assert.equal(refused.code, 1, 'keys that are in use are not taken away');
  assert.match(refused.stderr, /running already/);
  assert.equal(await simulation.interrupt(), 0);
  assert.match(output.stderr, /The devices stay, offline/);
  assert.match(output.stdout, /refused .*E_SESSION_RATE/);

  const unsure = await remove(server, home, []);
  assert.equal(unsure.code, 1);
  assert.match(unsure.stderr, /This retires 12 devices, sim-1-thermostat-0001 to/);
  assert.equal((await client.devices({ group: 'simulated', state: 'retired' })).length, 0);
  const removed = await remove(server, home, ['--yes']);
  assert.equal(removed.code, 0, removed.stderr);
  assert.match(removed.stdout, /12 devices are retired, and what they have sent is erased/);
  assert.equal((await client.devices({ group: 'simulated', state: 'retired' })).length, 12);
  assert.deepEqual(await client.readings(good), []);
  assert.ok(!existsSync(join(folder, name)));
  const again = await remove(server, home, ['--yes']);
  assert.match(again.stdout, /The server has no simulated devices/);
});

test('it goes on with the same devices, asks beside real ones, and counts on', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const home = temporaryFolder(t);
  await client.addDevice({ id: 'pump-1', class: 'sensor' });
  const endless = ['--devices', '2', '--class', 'meter', '--rate', '600', '--json'];
  const short = [...endless, '--for', '2s'];
  const run = (args: readonly string[]): Promise<Run> =>
    holdfast(['simulate', '--data', server.dataDir, ...args], { env: environment(home) });

  const asked = await run(short);
  assert.equal(asked.code, 1);
  assert.match(asked.stderr, /has 1 device that is not simulated/);
  assert.equal((await client.devices()).length, 1);

  const first = simulate(t, server, { home, args: [...endless, '--mixed'] });
  for (const id of ['sim-1-meter-0001', 'sim-1-meter-0002']) {
    await waitFor(`readings of ${id}`, async () => {
      const stored = await client.readings(id).catch(() => []);
      return stored.length >= 10;
    });
  }
  assert.equal(await first.interrupt(), 0, first.output.stderr);
  const figures = JSON.parse(first.output.stdout.trim().split('\n').at(-1) ?? '') as {
    connected: number;
    acknowledged: number;
    refused: object;
  };
  assert.equal(figures.connected, 2);
  assert.ok(figures.acknowledged > 5);
  assert.deepEqual(figures.refused, {});

  const second = await run(short);
  assert.equal(second.code, 0, 'who said once that they may be mixed is not asked again');
  assert.match(second.stderr, /Going on with 2 devices simulated before/);
  assert.doesNotMatch(second.stderr, /Enrolling/);
  const certificates = (await client.device('sim-1-meter-0001')).certificates;
  assert.equal(certificates.length, 1);

  const elsewhere = await holdfast(['simulate', '--data', server.dataDir, ...short], {
    env: environment(temporaryFolder(t)),
  });
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /E_CLI_SIMULATION/);
  assert.match(elsewhere.stderr, /their keys are not here/);

  const removed = await remove(server, home, ['--yes', '--json']);
  assert.equal((JSON.parse(removed.stdout) as { retired: number }).retired, 2);
  assert.equal((await client.device('pump-1')).device.state, 'registered');
  const third = await run([...short, '--mixed']);
  assert.equal(third.code, 0, third.stderr);
  const ids = (await client.devices({ group: 'simulated' })).map(({ id }) => id);
  assert.deepEqual(ids, [
    'sim-1-meter-0001',
    'sim-1-meter-0002',
    'sim-2-meter-0001',
    'sim-2-meter-0002',
  ]);
});
