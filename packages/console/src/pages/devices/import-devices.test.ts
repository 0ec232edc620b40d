import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEVICE_IMPORT_MAX, type ImportDevicesRequest } from '@holdfast/protocol/api';
import type { CsvDevice } from './device-csv.ts';
import { IMPORT_MAX, batches, checkImport, importAll } from './import-devices.ts';

const wish = { again: false, claimLifeMs: 3_600_000 };
const devices = (count: number, group = ''): CsvDevice[] =>
  Array.from({ length: count }, (_, at) => ({
    line: at + 2,
    device: { id: `d-${at}`, class: 'sensor', group, tags: [] },
  }));

test('requests are no larger than the server takes', () => {
  assert.equal(IMPORT_MAX, DEVICE_IMPORT_MAX);
  const sizes = (all: CsvDevice[]): number[] => [...batches(all)].map(({ length }) => length);
  assert.deepEqual(sizes(devices(1_200)), [500, 500, 200]);
  assert.deepEqual(sizes([]), []);
  const long = [...batches(devices(1_200, 'g'.repeat(64)))];
  assert.equal(long.flat().length, 1_200);
  for (const some of long) {
    const request = { ...wish, devices: some.map(({ device }) => device), dryRun: true };
    assert.ok(JSON.stringify(request).length < 65_536);
  }
});

test('what is in the way is told with its line, before anything is done', async () => {
  const asked: ImportDevicesRequest[] = [];
  const check = await checkImport(devices(600), wish, (request) => {
    asked.push(request);
    const conflicts = request.devices
      .filter(({ id }) => id === 'd-550')
      .map(({ id }) => ({ id, why: 'exists already' }));
    const added = request.devices.length - conflicts.length;
    return Promise.resolve({ added, claimedAgain: 0, conflicts, claims: [] });
  });
  assert.deepEqual(check, {
    added: 599,
    claimedAgain: 0,
    problems: [{ line: 552, what: 'd-550 exists already.' }],
  });
  assert.ok(asked.every(({ dryRun }) => dryRun === true));
});

test('claims that were made are not lost when a later request fails', async () => {
  const claims: string[] = [];
  let requests = 0;
  const done = importAll(devices(600), wish, {
    send: ({ devices: some }) => {
      requests += 1;
      if (requests === 2) return Promise.reject(new Error('gone'));
      return Promise.resolve({
        added: some.length,
        claimedAgain: 0,
        conflicts: [],
        claims: some.map(({ id }) => ({ id, text: id, expiresAt: '' })),
      });
    },
    onClaims: (some) => claims.push(...some.map(({ id }) => id)),
  });
  await assert.rejects(done, /gone/u);
  assert.equal(claims.length, 500);
});
