import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceList, DeviceView } from '@holdfast/protocol/api';
import { ApiError } from './api-error.ts';
import { allDevices } from './device-pages.ts';

function device(id: string): DeviceView {
  const common = { class: 'sensor', group: '', stateReason: '', stateBy: '' } as const;
  return { id, ...common, state: 'active', createdAt: '2026-11-21T00:00:00.000Z' };
}

/** A server with these pages, and the paths that it was asked for. */
function server(...pages: DeviceList[]) {
  const paths: string[] = [];
  const read = (path: string): Promise<DeviceList> => {
    paths.push(path);
    return Promise.resolve(pages[paths.length - 1] ?? assert.fail('one page too many'));
  };
  return { paths, read };
}

test('all pages are read, each from where the one before ended, with the same filter', async () => {
  const { paths, read } = server(
    { devices: [device('a'), device('b')], next: 'b' },
    { devices: [], next: 'm' },
    { devices: [device('n')] },
  );
  const found = await allDevices(read, { group: '', state: undefined });
  assert.equal(found.map(({ id }) => id).join(''), 'abn');
  assert.deepEqual(paths, [
    '/v1/devices?group=',
    '/v1/devices?group=&after=b',
    '/v1/devices?group=&after=m',
  ]);
});

test('without a filter, the first page is asked for without a query', async () => {
  const { paths, read } = server({ devices: [] });
  assert.deepEqual(await allDevices(read), []);
  assert.deepEqual(paths, ['/v1/devices']);
});

test('a list that goes round is refused instead of read for ever [E_CLIENT_RESPONSE]', async () => {
  const page = { devices: [device('a')], next: 'a' };
  const { paths, read } = server(page, page, page);
  const isRefused = (error: unknown) =>
    error instanceof ApiError && error.code === 'E_CLIENT_RESPONSE';
  await assert.rejects(allDevices(read), isRefused);
  assert.equal(paths.length, 2);
});
