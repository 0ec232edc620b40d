import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PointsQuery, SeriesListView, SeriesPage } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const at = '2026-11-21T03:00:00.000Z';
const list: SeriesListView = {
  series: [
    {
      name: 'open',
      kind: 'boolean',
      count: 1,
      firstAt: at,
      lastAt: at,
      lastValue: 1,
      lastIndex: 4,
    },
    {
      name: 'temperature',
      kind: 'number',
      count: 9,
      firstAt: at,
      lastAt: at,
      lastValue: 21.5,
      lastIndex: 7,
    },
  ],
  passedOver: 2,
  behind: 0,
};

/** A client that has 25 points, and gives ten of them at a time. */
function pages(asked: PointsQuery[]): (id: string, query: PointsQuery) => Promise<SeriesPage> {
  return (_id, query) => {
    asked.push(query);
    const start = Number(query.after?.split('-')[0] ?? 0);
    const count = Math.min(10, Number(query.limit), 25 - start);
    const points = Array.from({ length: count }, (_, n) => ({ at, value: start + n, index: n }));
    const next = start + count < 25 ? { next: `${start + count}-0` } : {};
    return Promise.resolve({ points, buckets: [], behind: 0, ...next });
  };
}

test('series list shows names and last values, and says what was passed over', async () => {
  const world = new FakeWorld({ client: { series: () => Promise.resolve(list) } });
  assert.equal(await world.run('series', 'list', 'pump-1'), 0, world.errText);
  assert.match(world.outText, /open +true +2026-11-21 04:00:00/u);
  assert.match(world.outText, /temperature +21\.5 .*9 values/u);
  assert.match(world.errText, /2 values were passed over/u);
});

test('readings --series goes through all pages, and knows times before now', async () => {
  const asked: PointsQuery[] = [];
  const world = new FakeWorld({ client: { seriesPoints: pages(asked) } });
  const args = ['readings', 'pump-1', '--series', 'temperature', '--from', '-7d', '--to', 'now'];
  assert.equal(await world.run(...args, '--json'), 0, world.errText);
  assert.equal(asked.length, 3);
  assert.equal(asked[0]?.from, '2026-11-14T04:00:00.000Z');
  assert.equal(asked[0]?.to, '2026-11-21T04:00:00.000Z');
  assert.equal(world.outText.trim().split('\n').length, 25);
});

test('readings --series stops at its limit, and says that there is more', async () => {
  const world = new FakeWorld({ client: { seriesPoints: pages([]) }, isTty: true });
  assert.equal(await world.run('readings', 'pump-1', '--series', 't', '--limit', '12'), 0);
  assert.match(world.outText, /0 ▁.*█ 11/u);
  assert.match(world.errText, /There is more/u);
});

test('readings --resolution shows lowest, mean and highest', async () => {
  const bucket = { at, count: 360, min: 19.5, max: 23, mean: 21.123_456_789 };
  const world = new FakeWorld({
    client: {
      seriesPoints: (_id, { resolution }) => {
        assert.equal(resolution, '1h');
        return Promise.resolve({ points: [], buckets: [bucket], behind: 0 });
      },
    },
  });
  const args = [
    'readings',
    'pump-1',
    '--series',
    't',
    '--resolution',
    '1h',
    '--from',
    '2026-11-01',
  ];
  assert.equal(await world.run(...args), 0, world.errText);
  assert.match(world.outText, /21\.1235 +19\.5 … 23 +360 values/u);
});

test('a mistake is told with what would have been right', async () => {
  const nothing: SeriesPage = { points: [], buckets: [], behind: 0 };
  const client = {
    seriesPoints: () => Promise.resolve(nothing),
    series: () => Promise.resolve(list),
  };
  for (const [args, expected] of [
    [['--series', 'temprature'], /Did you mean temperature\?/u],
    [['--series', 'temperature'], /nothing in this time/u],
    [['--series', 't', '--resolution', '2h'], /no resolution "2h"/u],
    [['--series', 't', '--from', 'yesterday'], /no time: "yesterday"/u],
    [['--series', 't', '--follow'], /does not follow/u],
    [['--from', '-7d'], /belong to a series/u],
  ] as const) {
    const world = new FakeWorld({ client });
    await world.run('readings', 'pump-1', ...args);
    assert.match(world.errText, expected, args.join(' '));
  }
});

test('class set takes bounds of what is kept, and takes them away', async () => {
  const sent: unknown[] = [];
  const world = new FakeWorld({
    client: {
      setDeviceClass: (name, rules) => {
        sent.push(rules.retention);
        const view = {
          requiresApiKey: false,
          onClone: 'report',
          lateHours: 168,
          deviceCount: 0,
        } as const;
        const retention = { ageDays: 90, rollupDays: 700 };
        const counts = { withoutApiKeyCount: 0, renewalGraceMs: 0 };
        return Promise.resolve({ name, ...view, ...counts, retention });
      },
    },
  });
  const set = (...args: string[]): Promise<number> => world.run('class', 'set', 'sensor', ...args);
  assert.equal(await set('--retain-days', '90', '--retain-rollups', '700'), 0, world.errText);
  assert.equal(await set('--retain-days', 'all', '--retain-bytes', '1000000'), 0, world.errText);
  assert.deepEqual(sent, [
    { ageDays: 90, rollupDays: 700 },
    { ageDays: null, bytesPerDeviceMax: 1_000_000 },
  ]);
  assert.match(world.outText, /messages are kept +90 days\n.*rolled up values +700 days/u);
  assert.notEqual(await set('--retain-days', '0'), 0);
  assert.notEqual(await set('--retain-bytes', '999999'), 0);
  assert.equal(sent.length, 2);
});
