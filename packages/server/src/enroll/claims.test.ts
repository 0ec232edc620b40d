import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseClaim } from '@holdfast/protocol';
import { systemRandom } from '../kernel/index.ts';
import type { LifeCycleAct } from '../registry/index.ts';
import { issueClaim } from './claims.ts';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';

function claimDeps({ registry, clock, authority }: Lab) {
  const { anchorPin } = authority;
  return { registry, clock, random: systemRandom, host: '[::1]', port: 8444, anchorPin };
}

test('a claim names the server, the device and the anchor; only its hash is kept', (context) => {
  const lab = openLab(context);
  const device = present(lab.registry.add({ id: 'thermostat-1', class: 'sensor' }));
  const { text, secret, expiresAtMs } = present(issueClaim(device, claimDeps(lab)));
  assert.deepEqual(parseClaim(text.expose()), {
    host: '[::1]',
    port: 8444,
    deviceId: 'thermostat-1',
    anchorPin: lab.authority.anchorPin,
    secret: secret.expose(),
  });
  assert.equal(expiresAtMs, lab.clock.ms + 24 * 3_600_000);
  const bytes = Buffer.from(secret.expose(), 'base64url');
  assert.equal(bytes.length, 32);
  const secretHash = createHash('sha256').update(bytes).digest('hex');
  const deviceId = 'thermostat-1';
  assert.deepEqual(lab.registry.claimOf('thermostat-1'), { deviceId, secretHash, expiresAtMs });
});

test('a claim in a log shows nothing', (context) => {
  const lab = openLab(context);
  const device = present(lab.registry.add({ id: 'a', class: 'sensor' }));
  const claim = present(issueClaim(device, claimDeps(lab)));
  assert.ok(!JSON.stringify(claim).includes(claim.secret.expose()));
});

test('devices that an operator stopped get no claim [E_OPERATE_CONFLICT]', (context) => {
  const lab = openLab(context);
  const device = present(lab.registry.add({ id: 'a', class: 'sensor' }));
  const change = (act: LifeCycleAct) =>
    present(lab.registry.changeState('a', { act, by: 'local', reason: 'test' }));
  present(issueClaim(device, claimDeps(lab)));
  for (const act of ['enroll', 'activate'] as const) {
    const going = change(act);
    present(issueClaim(going, claimDeps(lab)));
    assert.equal(lab.registry.byId('a')?.state, going.state);
  }
  const claim = lab.registry.claimOf('a');
  for (const act of ['suspend', 'quarantine'] as const) {
    const stopped = change(act);
    assert.equal(codeOf(issueClaim(stopped, claimDeps(lab))), 'E_OPERATE_CONFLICT', act);
    assert.deepEqual(lab.registry.claimOf('a'), claim);
    assert.equal(lab.registry.byId('a')?.state, stopped.state);
  }
  assert.equal(codeOf(issueClaim(change('retire'), claimDeps(lab))), 'E_OPERATE_CONFLICT');
  assert.equal(lab.registry.claimOf('a'), undefined);
});

test('a revoked device becomes registered again with its new claim', (context) => {
  const lab = openLab(context);
  const device = present(lab.registry.add({ id: 'a', class: 'sensor' }));
  const change = { act: 'revoke', by: 'local', reason: 'stolen' } as const;
  const revoked = present(lab.registry.changeState(device.id, change));
  present(issueClaim(revoked, { ...claimDeps(lab), by: 'person:ada' }));
  assert.equal(lab.registry.byId('a')?.state, 'registered');
  assert.equal(lab.registry.byId('a')?.stateBy, 'person:ada');
  assert.notEqual(lab.registry.claimOf('a'), undefined);
});
