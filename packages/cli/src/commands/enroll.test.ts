import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DeviceError } from '@holdfast/device';
import type { Bundle, EnrollOptions } from '@holdfast/device';
import { FakeWorld } from '../fake-world.ts';

const CLAIM = 'holdfast-claim/1/…';

describe('device enroll', () => {
  it('takes the claim from a file, standard input or a person, never from the command line', async () => {
    for (const source of ['typed', 'file', 'input'] as const) {
      const given: EnrollOptions[] = [];
      const enroll = (options: EnrollOptions) => {
        given.push(options);
        options.log?.('One step.');
        return Promise.resolve({ device: 'thermostat-1' } as Bundle);
      };
      const answers = source === 'file' ? [] : [`${CLAIM}\n`];
      const isTty = source === 'typed';
      const world = new FakeWorld({ device: { enroll }, answers, isTty, hasLocalServer: false });
      const path = join(world.home, 'claim.txt');
      writeFileSync(path, ` ${CLAIM}\r\n`);
      const claim = { typed: [], file: ['--claim', `@${path}`], input: ['--claim', '-'] }[source];
      assert.equal(await world.run('device', 'enroll', ...claim, '--out', './x'), 0);
      assert.equal(given[0]?.claim, CLAIM, source);
      assert.equal(given[0]?.out, './x');
      assert.match(world.outText, /✓ One step\.\n\nthermostat-1 is enrolled/u);
    }
  });

  it('needs no server access, but claim and folder', async () => {
    for (const args of [[], ['--claim', '-'], ['--out', 'x'], ['--claim', CLAIM, '--out', 'x']]) {
      const world = new FakeWorld({ hasLocalServer: false });
      assert.equal(await world.run('device', 'enroll', ...args), 2);
    }
  });

  it('says when the file of the claim is missing', async () => {
    const world = new FakeWorld();
    const args = ['--claim', `@${world.home}/none`, '--out', 'x'];
    assert.equal(await world.run('device', 'enroll', ...args), 1);
    assert.match(
      world.errText,
      /E_CLI_FILE\n {2}why {3}There is no such file or folder \(ENOENT\)/u,
    );
  });

  it('ends with 3 when the server cannot be reached', async () => {
    const enroll = () =>
      Promise.reject(new DeviceError('E_DEVICE_UNREACHABLE', { message: 'm', fix: 'f' }));
    const world = new FakeWorld({ device: { enroll }, answers: [CLAIM] });
    assert.equal(await world.run('device', 'enroll', '--claim', '-', '--out', 'x'), 3);
  });
});
