import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bundle, DeviceError, type RenewOptions } from '@holdfast/device';
import { FakeWorld } from '../fake-world.ts';

describe('device renew', () => {
  it('renews the bundle that it is given, without any access to a server', async () => {
    const given: RenewOptions[] = [];
    const renew = (options: RenewOptions) => {
      given.push(options);
      const validToDate = new Date('2027-02-19T10:00:00Z');
      const certificate = { validToDate, serialNumber: '0A' };
      return Promise.resolve({ device: 'thermostat-1', certificate } as Bundle);
    };
    const world = new FakeWorld({ device: { renew }, hasLocalServer: false });
    assert.equal(await world.run('device', 'renew', './x'), 0);
    assert.deepEqual(given, [{ bundle: './x' }]);
    assert.equal(
      world.outText,
      '✓ thermostat-1 has a new key and certificate, valid to 2027-02-19.\n',
    );
    const forPrograms = new FakeWorld({ device: { renew }, hasLocalServer: false });
    await forPrograms.run('device', 'renew', './x', '--json');
    assert.deepEqual(JSON.parse(forPrograms.outText), {
      device: 'thermostat-1',
      serial: '0A',
      notAfter: '2027-02-19T10:00:00.000Z',
    });
  });

  it('needs the folder, and no more', async () => {
    for (const args of [[], ['x', 'y']]) {
      const world = new FakeWorld({ device: {}, hasLocalServer: false });
      assert.equal(await world.run('device', 'renew', ...args), 2);
    }
  });

  it('tells what the SDK tells', async () => {
    const error = new DeviceError('E_DEVICE_RENEWAL', { message: 'What failed.', fix: 'Do this.' });
    const world = new FakeWorld({ device: { renew: () => Promise.reject(error) } });
    assert.equal(await world.run('device', 'renew', 'x'), 1);
    assert.match(world.errText, /E_DEVICE_RENEWAL/u);
    assert.match(world.errText, /Do this\./u);
  });
});
