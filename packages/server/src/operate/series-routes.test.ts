import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestListSchema, SeriesPageSchema } from '@holdfast/protocol/api';
import type { BucketsQuery, PointsQuery, SeriesStore } from '../telemetry/index.ts';
import { type Lab, openLab, present } from './lab.testing.ts';

type Fake = Pick<SeriesStore, 'list' | 'points' | 'buckets' | 'latest'>;

/** An API on series of the test's making. */
function openSeriesApi(
  t: Parameters<typeof openLab>[0],
  fake: Partial<Fake>,
): { lab: Lab; get: (path: string) => Promise<Response> } {
  const lab = openLab(t);
  Object.assign(lab.deps.series, fake);
  return { lab, get: (path) => lab.call('GET', path, { token: lab.localToken }) };
}

test('a page names the next one, and takes its name', async (t) => {
  const asked: PointsQuery[] = [];
  const { lab, get } = openSeriesApi(t, {
    points: (query) => {
      asked.push(query);
      return Promise.resolve({
        points: [{ timeMs: 1_000, index: 7, value: 21.5 }],
        hasMore: true,
        behind: 3,
      });
    },
  });
  const { contentKeyRef } = present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  const path = '/v1/devices/dev-1/series/points?series=t&from=2026-11-21T00:00:00%2B01:00';
  const answer = await get(path);
  const page = SeriesPageSchema.parse(await answer.json());
  assert.deepEqual(page.points, [{ at: '1970-01-01T00:00:01.000Z', value: 21.5, index: 7 }]);
  assert.deepEqual([page.next, page.behind], ['1000-7', 3]);
  await get(`${path}&after=${page.next}`);
  assert.deepEqual(asked[1]?.after, { timeMs: 1_000, index: 7 });
  assert.deepEqual(asked[0]?.keyRefs, [contentKeyRef]);
  assert.equal(asked[0]?.fromMs, Date.UTC(2026, 10, 20, 23));
});

test('a resolution is one of those that there are, and has a bound', async (t) => {
  const asked: BucketsQuery[] = [];
  const { lab, get } = openSeriesApi(t, {
    buckets: (query) => {
      asked.push(query);
      return Promise.resolve(undefined);
    },
  });
  present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  const path = '/v1/devices/dev-1/series/points?series=t&resolution=';
  const tooMany = await get(`${path}1m`);
  assert.equal(tooMany.status, 400);
  assert.match(await tooMany.text(), /coarser resolution/u);
  assert.equal(asked[0]?.spanMs, 60_000);
  for (const query of ['2h', '1m&after=x', '1m&limit=0', '1m&limit=10001', '1m&from=soon']) {
    assert.equal((await get(`${path}${query}`)).status, 400, query);
  }
  assert.equal(asked.length, 1);
  assert.equal((await get('/v1/devices/dev-2/series')).status, 404);
});

test('last values are of those devices that were asked for, page by page', async (t) => {
  const asked: number[] = [];
  const { lab, get } = openSeriesApi(t, {
    latest: (devices) => {
      asked.push(devices.length);
      const values = [{ name: 't', kind: 'number' as const, timeMs: 1, index: 1, value: 1 }];
      return Promise.resolve({ devices: devices.map(() => ({ values })), behind: 0 });
    },
  });
  for (const id of ['dev-3', 'dev-1', 'dev-2']) present(lab.registry.add({ id, class: 'sensor' }));
  present(lab.registry.add({ id: 'gate-1', class: 'gateway' }));
  const read = async (query: string): Promise<{ ids: string[]; next: string | undefined }> => {
    const answer = await get(`/v1/readings/latest?class=sensor&${query}`);
    const { latest, next } = LatestListSchema.parse(await answer.json());
    return { ids: latest.map(({ device }) => device), next };
  };
  assert.deepEqual(await read('limit=2'), { ids: ['dev-1', 'dev-2'], next: 'dev-2' });
  assert.deepEqual(await read('limit=2&after=dev-2'), { ids: ['dev-3'], next: undefined });
  assert.deepEqual(asked, [2, 1]);
});
