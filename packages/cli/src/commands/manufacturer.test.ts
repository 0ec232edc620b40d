import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AddManufacturerRequest, AllowIdevidRequest } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const view = {
  name: 'acme',
  addedAt: '2026-11-21T04:00:00.000Z',
  authorities: [
    {
      subject: 'CN=devices\u001B[2J',
      fingerprint: 'ab'.repeat(32),
      notAfter: '2036-01-01T00:00:00.000Z',
    },
  ],
  deviceCount: 2,
};

test('manufacturer add sends the file, and shows what was read of it', async () => {
  const sent: AddManufacturerRequest[] = [];
  const world = new FakeWorld({
    client: {
      addManufacturer: (request) => {
        sent.push(request);
        return Promise.resolve(view);
      },
    },
  });
  const file = join(world.home, 'ca.pem');
  writeFileSync(file, 'PEM');
  assert.equal(await world.run('manufacturer', 'add', 'acme', '--ca', file), 0, world.errText);
  assert.deepEqual(sent, [{ name: 'acme', certificatesPem: 'PEM' }]);
  assert.match(world.outText, /acme may enroll[^]*CN=devices[^]*until 2036-01-01/u);
  assert.ok(!world.outText.includes('\u001B[2J'));
  assert.notEqual(await world.run('manufacturer', 'add', 'acme'), 0);
  assert.match(world.errText, /--ca/u);
});

test('manufacturers are listed, and removed', async () => {
  const removed: string[] = [];
  const manufacturers = [view];
  const world = new FakeWorld({
    client: {
      manufacturers: () => Promise.resolve(manufacturers),
      removeManufacturer: (name) => Promise.resolve(void removed.push(name)),
    },
  });
  assert.equal(await world.run('manufacturer', 'list'), 0);
  assert.match(world.outText, /acme +2 devices +CN=devices/u);
  assert.equal(await world.run('manufacturer', 'remove', 'acme'), 0);
  assert.deepEqual(removed, ['acme']);
  manufacturers.length = 0;
  assert.equal(await world.run('manufacturer', 'list'), 0);
  assert.match(world.outText, /There is none/u);
});

test('device allow-idevid takes one of both serial numbers', async () => {
  const sent: AllowIdevidRequest[] = [];
  const world = new FakeWorld({
    client: {
      allowIdevid: (device, request) => {
        sent.push(request);
        return Promise.resolve({ device, manufacturer: 'acme', serial: 'AC-1' });
      },
    },
  });
  const allow = (...options: string[]): Promise<number> =>
    world.run('device', 'allow-idevid', 'pump-1', ...options);
  const acme = ['--manufacturer', 'acme'];
  assert.equal(await allow(...acme, '--serial', 'AC-1'), 0, world.errText);
  assert.equal(await allow(...acme, '--certificate-serial', '0A'), 0, world.errText);
  assert.deepEqual(sent, [
    { manufacturer: 'acme', serial: 'AC-1' },
    { manufacturer: 'acme', certificateSerial: '0A' },
  ]);
  assert.match(world.outText, /pump-1 may enroll once/u);
  for (const options of [
    acme,
    ['--serial', 'x'],
    [...acme, '--serial', 'x', '--certificate-serial', '0a'],
  ]) {
    assert.notEqual(await allow(...options), 0);
  }
  assert.equal(sent.length, 2);
});
