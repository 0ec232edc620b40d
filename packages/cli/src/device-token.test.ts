import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Bundle, RenewOptions, Token, TokenOptions } from '@holdfast/device';
import { FakeWorld } from './fake-world.ts';

const TOKEN = ['--pkcs11-module', '/lib/p11.so', '--pkcs11-token', 'pump'];

describe('keys in a token', () => {
  it('are used by the command that names it, with a PIN out of a private file', async () => {
    const opened: [string, string, string][] = [];
    let closed = 0;
    const token = { close: () => (closed += 1) } as Partial<Token> as Token;
    const openToken = async ({ module, label, pin }: TokenOptions) => {
      opened.push([module, label, await pin()]);
      return token;
    };
    const given: RenewOptions[] = [];
    const renew = (options: RenewOptions) => {
      given.push(options);
      if (given.length === 2) return Promise.reject(new Error('no'));
      const certificate = { validToDate: new Date(0), serialNumber: '0A' };
      return Promise.resolve({ device: 'pump-1', certificate } as Bundle);
    };
    const world = new FakeWorld({ device: { renew, openToken } });
    const pin = join(world.home, 'pin');
    writeFileSync(pin, '7391\n', { mode: 0o600 });
    const args = ['device', 'renew', './x', ...TOKEN, '--pkcs11-pin-file', pin];
    assert.equal(await world.run(...args), 0, world.errText);
    assert.deepEqual(opened, [['/lib/p11.so', 'pump', '7391']]);
    assert.deepEqual(given, [{ bundle: './x', token }]);
    assert.equal(await world.run(...args), 1);
    assert.equal(closed, 2, 'closed as well when it fails');
    assert.doesNotMatch(world.outText + world.errText, /7391/u);
  });

  it('needs both, module and label', async () => {
    for (const args of [TOKEN.slice(0, 2), TOKEN.slice(2), ['--pkcs11-pin-fd', '0']]) {
      const world = new FakeWorld({ device: { renew: () => assert.fail() } });
      assert.equal(await world.run('device', 'renew', './x', ...args), 2, args.join(' '));
      const enrolling = new FakeWorld({ device: { enroll: () => assert.fail() } });
      const rest = ['--claim', '-', '--out', './x', ...args];
      assert.equal(await enrolling.run('device', 'enroll', ...rest), 2, args.join(' '));
    }
  });
});
