/** The life of a fleet on a real server: imported, enrolled, stopped, let back in, revoked. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bundle, enroll } from '@holdfast/device';
import {
  RawClient,
  type Run,
  type ServerProcess,
  connectPacket,
  holdfast,
  runningMs,
  startInProcess,
  temporaryFolder,
} from '@holdfast/testkit';

const COUNT = 1_000;
/** From the decision until nothing of the device is open. */
const CLOSED_MS_MAX = 1_000;

interface Fleet {
  readonly server: Pick<ServerProcess, 'cli' | 'client'>;
  readonly folder: string;
  /** Runs a command, which must succeed. */
  readonly cli: (...args: string[]) => Promise<Run>;
  /** Claim texts by device, as they stand in a file of claims. */
  readonly claimsIn: (name: string) => Map<string, string>;
}

/** A server with a file of a thousand devices beside it: the first hundred are of the group `north`. */
async function startFleet(t: TestContext): Promise<Fleet> {
  const folder = temporaryFolder(t);
  // In this process, so that a time in which the machine does not let it run is not held against it.
  const { dataDir, client } = await startInProcess(t);
  const server: Fleet['server'] = {
    cli: (args, options) => holdfast([...args, '--data', dataDir], options),
    client: () => client,
  };
  const rows = Array.from({ length: COUNT }, (_, at) => `${idOf(at)},sensor,${groupOf(at)}`);
  const text = ['id,class,group', ...rows, ''].join('\r\n');
  writeFileSync(join(folder, 'devices.csv'), text);
  return {
    server,
    folder,
    cli: async (...args) => {
      const run = await server.cli(args, { cwd: folder });
      assert.equal(run.code, 0, run.stderr);
      return run;
    },
    claimsIn: (name) => {
      const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\r\n').slice(1);
      const fields = lines.map((line) => line.split(','));
      return new Map(fields.map(([id = '', , , claim = '']) => [id, claim]));
    },
  };
}

function idOf(at: number): string {
  return `pump-${String(at).padStart(4, '0')}`;
}

function groupOf(at: number): string {
  return at < 100 ? 'north' : '';
}

function enrollOne({ folder }: Fleet, claims: Map<string, string>, id: string): Promise<Bundle> {
  return enroll({ claim: claims.get(id) ?? assert.fail(id), out: join(folder, 'bundles', id) });
}

/** The server closes what it refuses before it says anything. */
async function assertRefused(bundle: Bundle): Promise<void> {
  const client = await RawClient.open(bundle);
  client.send(connectPacket(bundle));
  await client.closed();
  assert.equal(client.received.length, 0);
}

/** The time that an act took until all of these were closed. */
function closedBy(clients: readonly RawClient[], act: () => Promise<unknown>): Promise<number> {
  return runningMs(() => Promise.all([act(), ...clients.map((client) => client.closed())]));
}

test('a thousand devices are imported, and one of them goes through its life', async (t) => {
  const fleet = await startFleet(t);
  const { server, cli, claimsIn } = fleet;
  const files = ['--claims', 'claims.csv', '--labels', 'labels.html'];
  const { stdout } = await cli('device', 'import', 'devices.csv', ...files);
  assert.match(stdout, /^1000 devices imported\./u);
  const claims = claimsIn('claims.csv');
  assert.equal(claims.size, COUNT);
  assert.equal(new Set(claims.values()).size, COUNT);
  const client = server.client();
  t.after(() => client.close());
  assert.equal((await client.devices({ group: 'north', state: 'registered' })).length, 100);

  const bundle = await enrollOne(fleet, claims, 'pump-0007');
  const open = await RawClient.connect(bundle);
  const quarantine = ['device', 'quarantine', 'pump-0007', '--reason', 'a strange reading'];
  const tookMs = await closedBy([open], () =>
    client.actOnDevice('pump-0007', 'quarantine', 'a strange reading'),
  );
  assert.ok(tookMs < CLOSED_MS_MAX, `${tookMs} ms`);
  await assertRefused(bundle);
  const again = await server.cli(quarantine, { cwd: fleet.folder });
  assert.equal(again.code, 1);
  assert.match(again.stderr, /pump-0007 is quarantined \(a strange reading\) and cannot be/u);

  const released = await cli('device', 'release', 'pump-0007', '--reason', 'looked at');
  assert.equal(released.stdout, 'pump-0007 is released: it is active again.\n');
  const back = await RawClient.connect(bundle);
  await cli('device', 'set-group', 'pump-0007', '--to', 'south');
  assert.ok(!back.socket.destroyed, 'another group alone cuts nobody off');
  await cli('device', 'retire', 'pump-0007', '--reason', 'scrapped');
  await back.closed();
  await assertRefused(bundle);

  const acts = (await client.acts({ limit: 20 })).filter(({ target }) => target === 'pump-0007');
  assert.deepEqual(
    acts.map(({ action, principal, reason }) => [action, principal, reason]),
    [
      ['device.retire', 'local', 'scrapped'],
      ['device.set-group', 'local', 'moved on the command line'],
      ['device.release', 'local', 'looked at'],
      ['device.quarantine', 'local', 'a strange reading'],
      ['device.activate', 'pump-0007', undefined],
      ['device.payload-keys', 'pump-0007', undefined],
      ['device.enroll', 'pump-0007', undefined],
    ],
  );
});

test('an import that is done again gives new claims, but to devices that enrolled', async (t) => {
  const fleet = await startFleet(t);
  const { server, cli, claimsIn, folder } = fleet;
  await cli('device', 'import', 'devices.csv', '--claims', 'first.csv');
  const plain = await server.cli(['device', 'import', 'devices.csv', '--claims', 'second.csv'], {
    cwd: folder,
  });
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /line 2 names pump-0000, which exists already/u);
  await cli('device', 'import', 'devices.csv', '--again', '--claims', 'second.csv');
  const void_ = enrollOne(fleet, claimsIn('first.csv'), 'pump-0001');
  await assert.rejects(void_, 'the first claim is void');
  await enrollOne(fleet, claimsIn('second.csv'), 'pump-0002');
  const third = await server.cli(
    ['device', 'import', 'devices.csv', '--again', '--claims', 'third.csv'],
    { cwd: folder },
  );
  assert.equal(third.code, 1);
  assert.match(third.stderr, /line 4 names pump-0002, which was enrolled before/u);
});

test('revoking a group cuts off all of it within a second, and nobody else', async (t) => {
  const fleet = await startFleet(t);
  const { server, cli, claimsIn } = fleet;
  await cli('device', 'import', 'devices.csv', '--claims', 'claims.csv');
  const claims = claimsIn('claims.csv');
  const ids = Array.from({ length: 20 }, (_, at) => idOf(at));
  const bundles = [];
  for (const id of [...ids, 'pump-0500']) bundles.push(await enrollOne(fleet, claims, id));
  const clients = await Promise.all(bundles.map((bundle) => RawClient.connect(bundle)));
  const other = clients.pop() ?? assert.fail('a bystander');
  const client = server.client();
  t.after(() => client.close());
  const request = { act: 'revoke', select: { group: 'north' }, reason: 'recalled' } as const;
  let changed = 0;
  const tookMs = await closedBy(clients, async () => {
    ({ changed } = await client.actOnDevices(request));
  });
  assert.ok(tookMs < CLOSED_MS_MAX, `${tookMs} ms`);
  assert.equal(changed, 100);
  assert.ok(!other.socket.destroyed);
  await assertRefused(bundles[0] ?? assert.fail('a bundle'));
  const [whole] = await client.acts({ limit: 1 });
  assert.equal(whole?.action, 'device.act-many');
  const { stdout } = await cli('device', 'list', '--group', 'north', '--state', 'revoked');
  assert.equal(stdout.trimEnd().split('\n').length, 101);
});
