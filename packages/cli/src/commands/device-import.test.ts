import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiError, type Client } from '@holdfast/client';
import { formatClaim } from '@holdfast/protocol';
import type { ImportDevicesRequest } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const FILE = 'id,class,group\r\npump-1,sensor,north\r\npump-2,actuator,\r\n';
const expiresAt = '2026-12-21T03:05:06.000Z';

function claimOf(deviceId: string): string {
  const [host, key] = ['holdfast.example', 'A'.repeat(43)];
  return formatClaim({ host, port: 8444, deviceId, anchorPin: key, secret: key });
}

interface Server {
  readonly asked: ImportDevicesRequest[];
  readonly client: Partial<Client>;
}

/** A server that takes everything but the devices that are in the way. */
function server(inTheWay: readonly string[] = [], failsAt = Infinity): Server {
  const asked: ImportDevicesRequest[] = [];
  const importDevices: Client['importDevices'] = (request) => {
    asked.push(request);
    if (asked.length > failsAt) {
      const text = { code: 'E_CLIENT_UNREACHABLE', message: 'It is gone.', fix: 'Look.' };
      return Promise.reject(new ApiError(text));
    }
    const { devices, dryRun } = request;
    const conflicts = devices
      .filter(({ id }) => inTheWay.includes(id))
      .map(({ id }) => ({ id, why: 'exists already' }));
    const claims = devices.map(({ id }) => ({ id, text: claimOf(id), expiresAt }));
    const added = devices.length;
    return Promise.resolve({
      added,
      claimedAgain: 0,
      conflicts,
      claims: dryRun === true ? [] : claims,
    });
  };
  return { asked, client: { importDevices } };
}

interface Run {
  readonly world: FakeWorld;
  readonly code: number;
  readonly path: (name: string) => string;
}

async function run(
  { client }: Pick<Server, 'client'>,
  text: string | Uint8Array,
  ...args: string[]
): Promise<Run> {
  const world = new FakeWorld({ client });
  const path = (name: string): string => join(world.home, name);
  writeFileSync(path('devices.csv'), text);
  const files = ['--claims', path('claims.csv')];
  const code = await world.run('device', 'import', path('devices.csv'), ...files, ...args);
  return { world, code, path };
}

describe('device import', () => {
  it('checks everything first, then imports, and writes the claims for their owner only', async () => {
    const { asked, client } = server();
    const { world, code, path } = await run({ client }, FILE);
    assert.equal(code, 0, world.errText);
    const devices = [
      { id: 'pump-1', class: 'sensor', group: 'north' },
      { id: 'pump-2', class: 'actuator', group: '' },
    ];
    const common = { devices, again: false, claimLifeMs: 30 * 86_400_000 };
    assert.deepEqual(asked, [{ ...common, dryRun: true }, common]);
    assert.equal(
      readFileSync(path('claims.csv'), 'utf8'),
      `id,class,group,claim,expires\r\npump-1,sensor,north,${claimOf('pump-1')},${expiresAt}\r\n` +
        `pump-2,actuator,,${claimOf('pump-2')},${expiresAt}\r\n`,
    );
    assert.equal(statSync(path('claims.csv')).mode & 0o777, 0o600);
    assert.match(world.outText, /^2 devices imported\.\n/u);
    assert.match(world.outText, /works once, until 2026-12-21 04:05, for whoever reads it/u);
    assert.match(world.outText, /delete the files when you are done/u);
    assert.ok(!(world.outText + world.errText).includes('A'.repeat(43)), 'no claim is printed');
  });

  it('asks in batches of at most 500 devices and 60,000 bytes', async () => {
    const ids = (count: number, length: number) =>
      Array.from({ length: count }, (_, at) => String(at).padStart(length, 'd'));
    const file = (all: readonly string[]) =>
      `id,class\n${all.map((id) => `${id},sensor\n`).join('')}`;
    const short = server();
    await run(short, file(ids(1_001, 6)), '--dry-run');
    assert.deepEqual(
      short.asked.map(({ devices }) => devices.length),
      [500, 500, 1],
    );
    const long = server();
    await run(
      long,
      `id,class,group\n${ids(500, 64)
        .map((id) => `${id},actuator,${'g'.repeat(64)}\n`)
        .join('')}`,
      '--dry-run',
    );
    assert.ok(long.asked.length > 1);
    for (const request of long.asked) assert.ok(JSON.stringify(request).length < 65_536);
  });

  it('imports nothing when something is in the way, and names the lines', async () => {
    const { asked, client } = server(['pump-2']);
    const { world, code, path } = await run({ client }, FILE);
    assert.equal(code, 1);
    assert.match(world.errText, /line 3 names pump-2, which exists already/u);
    assert.equal(asked.filter(({ dryRun }) => dryRun !== true).length, 0);
    assert.throws(() => statSync(path('claims.csv')));
  });

  it('shows all that is wrong with the file, up to 20, and asks nothing of the server', async () => {
    const lines = ['-x,sensor,', 'a,senser,', 'b,sensor,x y', 'c,sensor', 'd,sensor,', 'd,sensor,'];
    const { asked, client } = server();
    const text = `id,class,group\n${lines.join('\n')}\n"e`;
    const { world, code } = await run({ client }, text);
    assert.equal(code, 1);
    for (const problem of [
      /line 2 has the id "-x"/u,
      /line 3 has the class "senser"; did you mean sensor\?/u,
      /line 4 has the group "x y"/u,
      /line 5 has 2 columns and not 3/u,
      /line 7 names d, as line 6 does/u,
      /line 8 begins a quoted field that does not end/u,
    ]) {
      assert.match(world.errText, problem);
    }
    assert.deepEqual(asked, []);
    const many = `id,class\n${'x y,sensor\n'.repeat(25)}`;
    const { world: other } = await run({ client }, many);
    assert.equal(other.errText.match(/line \d+ has/gu)?.length, 20);
    assert.match(other.errText, /and 5 more/u);
  });

  it('takes tags, up to 16 of their form', async () => {
    const { asked, client } = server();
    const text = 'id,class,tags\npump-1,sensor,roof  cold roof\npump-2,sensor,\n';
    const { code, world } = await run({ client }, text);
    assert.equal(code, 0, world.errText);
    assert.deepEqual(asked.at(-1)?.devices, [
      { id: 'pump-1', class: 'sensor', group: '', tags: ['roof', 'cold'] },
      { id: 'pump-2', class: 'sensor', group: '' },
    ]);
    const many = Array.from({ length: 17 }, (_, at) => `t${at}`).join(' ');
    const bad = await run({ client }, `id,class,tags\na,sensor,Roof\nb,sensor,${many}\n`);
    assert.equal(bad.code, 1);
    assert.match(bad.world.errText, /line 2 has the tag "Roof"/u);
    assert.match(bad.world.errText, /line 3 has 17 tags; 16 at most/u);
  });

  it('takes what spreadsheets write, and says so where it does not', async () => {
    for (const good of [
      '\uFEFFid,class\r\npump-1,sensor\r\n',
      '"ID","Class","Group"\r\n"pump-1","sensor","north"\r\n',
      'class,id\rsensor,pump-1',
      'id,class\n\n\npump-1,sensor\n\n',
    ]) {
      const { world, code } = await run(server(), good, '--dry-run');
      assert.equal(code, 0, world.errText);
      assert.match(world.outText, /^1 device would be imported\. Nothing was done\./u);
    }
    for (const [bad, told] of [
      ['id;class\npump-1;sensor\n', /by something else than commas/u],
      ['pump-1,sensor\n', /line 1 has no column id/u],
      ['id,class,site\n', /column "site"; there are id, class, group, tags/u],
      ['id,id,class\n', /the column id twice/u],
      ['id,class\n', /line 1 is the only one/u],
      ['', /the first line has to be id,class,group/u],
      [Buffer.from('id,class\np\u00FCmp,sensor\n', 'latin1'), /is not UTF-8/u],
    ] as const) {
      const { world, code } = await run(server(), bad);
      assert.equal(code, 1);
      assert.match(world.errText, told);
    }
  });

  it('says so of a file that is made to fill the memory, before it does', async () => {
    const device = (at: number): string => `pump-${at},sensor\n`;
    const many = Array.from({ length: 100_001 }, (_, at) => device(at)).join('');
    for (const [bad, told] of [
      [`id,class\n${many}`, /more than 100000 devices; split it/u],
      [`id,class\n${'a\n'.repeat(16_000_000)}`, /more than 100000 devices; split it/u],
      [','.repeat(33_000_000), /line 1 has a column ""/u],
      ['a",'.repeat(11_000_000), /quotation mark in a field|column "a/u],
    ] as const) {
      const { world, code } = await run(server(), bad);
      assert.equal(code, 1);
      assert.match(world.errText, told);
    }
    const most = many.slice(0, -device(100_000).length);
    const { world, code } = await run(server(), `id,class\n${most}`, '--dry-run');
    assert.equal(code, 0, world.errText);
  });

  it('writes nothing over a file that is there', async () => {
    const { asked, client } = server();
    const world = new FakeWorld({ client });
    const path = (name: string): string => join(world.home, name);
    writeFileSync(path('devices.csv'), FILE);
    writeFileSync(path('old.html'), 'mine');
    const args = ['--claims', path('claims.csv'), '--labels', path('old.html')];
    assert.equal(await world.run('device', 'import', path('devices.csv'), ...args), 1);
    assert.match(world.errText, /old\.html exists already/u);
    assert.equal(readFileSync(path('old.html'), 'utf8'), 'mine');
    assert.throws(() => statSync(path('claims.csv')), 'nor leaves the other one behind');
    assert.ok(asked.every(({ dryRun }) => dryRun === true));
  });

  it('keeps the claims of what was imported when it is interrupted, and says how to go on', async () => {
    const ids = Array.from({ length: 700 }, (_, at) => `pump-${at}`);
    const text = `id,class\n${ids.map((id) => `${id},sensor\n`).join('')}`;
    const { world, code, path } = await run(server([], 3), text);
    assert.equal(code, 3);
    assert.match(world.errText, /Of 700 devices, 500 are imported; their claims are in/u);
    assert.match(world.errText, /--again/u);
    const lines = readFileSync(path('claims.csv'), 'utf8').trimEnd().split('\r\n');
    assert.equal(lines.length, 501);
  });

  it('writes nothing into tables and labels that is no claim', async () => {
    const { client } = server();
    const importDevices: Client['importDevices'] = async (request) => {
      const answer = await client.importDevices?.(request);
      assert.ok(answer !== undefined);
      const claims = answer.claims.map((claim) => ({ ...claim, text: '=cmd|calc!A0' }));
      return { ...answer, claims };
    };
    const { world, code, path } = await run({ client: { importDevices } }, FILE);
    assert.equal(code, 1);
    assert.match(world.errText, /E_CLIENT_RESPONSE/u);
    assert.ok(!readFileSync(path('claims.csv'), 'utf8').includes('calc'));
  });

  it('passes --again and --days on', async () => {
    const { asked, client } = server();
    await run({ client }, FILE, '--again', '--days', '90');
    const { again, claimLifeMs } = asked[1] ?? assert.fail('no request');
    assert.deepEqual([again, claimLifeMs], [true, 90 * 86_400_000]);
    for (const days of ['0', '366', '1.5']) {
      assert.equal((await run(server(), FILE, '--days', days)).code, 2, days);
    }
  });

  it('needs --claims, and labels in HTML', async () => {
    const world = new FakeWorld();
    assert.equal(await world.run('device', 'import', 'devices.csv'), 2);
    const pdf = ['--claims', 'c.csv', '--labels', 'l.pdf'];
    assert.equal(await world.run('device', 'import', 'devices.csv', ...pdf), 2);
  });

  it('writes labels for their owner only, 24 on a page', async () => {
    const ids = Array.from({ length: 49 }, (_, at) => `pump-${at}`);
    const text = `id,class,group\n${ids.map((id) => `${id},sensor,north\n`).join('')}`;
    const world = new FakeWorld(server());
    const path = (name: string): string => join(world.home, name);
    writeFileSync(path('devices.csv'), text);
    const args = ['--claims', path('c.csv'), '--labels', path('l.html'), '--json'];
    assert.equal(await world.run('device', 'import', path('devices.csv'), ...args), 0);
    const html = readFileSync(path('l.html'), 'utf8');
    assert.equal(statSync(path('l.html')).mode & 0o777, 0o600);
    assert.equal(html.match(/<section>/gu)?.length, 3);
    assert.equal(html.match(/<svg /gu)?.length, 49);
    for (const id of ids) assert.ok(html.includes(`<b>${id}</b><br>sensor<br>north<br>`));
    assert.match(html, /<br><small>enroll by 2026-12-21/u);
    const outcome = JSON.parse(world.outText) as { pages: number; added: number };
    assert.deepEqual([outcome.pages, outcome.added], [3, 49]);
  });
});
