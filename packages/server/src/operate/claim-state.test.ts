/** Goal: people see whether a claim is open or used, and for which certificate. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { DeviceDetailSchema } from '@holdfast/protocol/api';
import { openLab, present } from './lab.testing.ts';

/** A certificate, by `openssl req`. */
function newCertificate(): string {
  const command = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout /dev/null';
  const args = [...command.split(' '), '-subj', '/CN=x'];
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

test('a device shows how its claim stands, without its secret', async (t) => {
  const lab = openLab(t);
  const { registry, localToken: token } = lab;
  present(registry.add({ id: 'pump-1', class: 'sensor' }));
  const shown = async (): Promise<unknown> => {
    const answer = await lab.call('GET', '/v1/devices/pump-1', { token });
    return DeviceDetailSchema.parse(await answer.json()).claim;
  };
  assert.equal(await shown(), undefined);

  const expiresAt = '2026-11-22T00:00:00.000Z';
  const open = { deviceId: 'pump-1', secretHash: 'ef', expiresAtMs: Date.parse(expiresAt) };
  registry.writeClaim(open);
  assert.deepEqual(await shown(), { expiresAt });

  const usedAt = '2026-11-21T23:00:00.000Z';
  const certificatePem = newCertificate();
  const redeemed = { spkiHash: 'aa', atMs: Date.parse(usedAt), certificatePem };
  registry.writeClaim({ ...open, redeemed });
  const { fingerprint256 } = new X509Certificate(certificatePem);
  const certificate = fingerprint256.replaceAll(':', '').toLowerCase();
  assert.deepEqual(await shown(), { expiresAt, usedAt, certificate });

  present(registry.changeState('pump-1', { act: 'revoke', by: 'local', reason: 'test' }));
  assert.equal(await shown(), undefined);
});
