import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_POLICY } from '../policy/index.ts';
import type { RoleName, TokenScope } from '../registry/index.ts';
import type { AdmittedPeer } from '../session/index.ts';
import { type Lab, codeOf, openLab, parsed } from '../session/lab.testing.ts';
import { Grant, PermittedMessage, REMEMBERED_TOPICS_MAX } from './grant.ts';
import { openPermissions } from './lab.testing.ts';

const message = {
  payload: new Uint8Array(0),
  retain: false,
  qos: 2,
  properties: { contentType: 'text/plain' },
} as const;

const PERMITTED = [
  'd/pump-1/telemetry',
  'd/pump-1/telemetry/a/b',
  'd/pump-1/state',
  'd/pump-1/ack/set',
];
const FORBIDDEN = [
  'd/pump-2/telemetry',
  'd/pump-1/cmd/set',
  'd/pump-1/telemetryx',
  'd/pump-1/state/x',
  'd/pump-1',
  'd/pump-1/',
  '/d/pump-1/telemetry',
  'D/pump-1/telemetry',
  '$holdfast/x',
  'd/pump-10/telemetry',
];

test('a device publishes as itself and as nobody else [E_AUTHORIZE_PUBLISH]', (t) => {
  const lab = openLab(t);
  const { enroll, admit } = lab;
  const { permissions } = openPermissions(lab);
  const grant = new Grant(admit(enroll('pump-1').certificate), permissions);
  // Twice: the second time from memory.
  for (const topic of [...PERMITTED, ...PERMITTED]) {
    const permitted = grant.permitPublish({ topic, ...message });
    assert.ok(PermittedMessage.is(permitted), topic);
    assert.ok(
      !PermittedMessage.is(Object.assign({}, permitted)),
      'an object of the same shape is no proof',
    );
  }
  for (const topic of [...FORBIDDEN, ...FORBIDDEN]) {
    assert.equal(codeOf(grant.permitPublish({ topic, ...message })), 'E_AUTHORIZE_PUBLISH', topic);
  }
});

test('decisions stay right when more topics are used than are remembered', (t) => {
  const lab = openLab(t);
  const { enroll, admit } = lab;
  const { permissions } = openPermissions(lab);
  const grant = new Grant(admit(enroll('pump-1').certificate), permissions);
  for (let n = 0; n < REMEMBERED_TOPICS_MAX + 2; n += 1) {
    const topic = `d/pump-1/telemetry/${n}`;
    assert.ok(PermittedMessage.is(grant.permitPublish({ topic, ...message })));
  }
  const topic = 'd/pump-2/telemetry';
  assert.equal(codeOf(grant.permitPublish({ topic, ...message })), 'E_AUTHORIZE_PUBLISH');
});

test('a device subscribes to its commands and to nothing wider [E_AUTHORIZE_SUBSCRIBE]', (t) => {
  const lab = openLab(t);
  const { enroll, admit } = lab;
  const { permissions } = openPermissions(lab);
  const grant = new Grant(admit(enroll('pump-1').certificate), permissions);
  for (const filter of ['d/pump-1/cmd/#', 'd/pump-1/cmd/set', 'd/pump-1/cmd/+', 'd/pump-1/cmd']) {
    assert.equal(grant.permitSubscription(filter), true, filter);
  }
  for (const filter of [
    '#',
    '+/pump-1/cmd/#',
    'd/+/cmd/#',
    'd/pump-2/cmd/#',
    'd/pump-1/#',
    '$holdfast/#',
  ]) {
    assert.equal(codeOf(grant.permitSubscription(filter)), 'E_AUTHORIZE_SUBSCRIBE', filter);
  }
});

test('an id cannot smuggle a pattern into its rules', (t) => {
  const lab = openLab(t);
  const { enroll, admit } = lab;
  const { permissions } = openPermissions(lab);
  const grant = new Grant(admit(enroll('a.b-c_d').certificate), permissions);
  const topic = 'd/a.b-c_d/state';
  assert.ok(PermittedMessage.is(grant.permitPublish({ topic, ...message })));
});

test('a permitted message is what was sent', (t) => {
  const lab = openLab(t);
  const { enroll, admit } = lab;
  const { permissions } = openPermissions(lab);
  const peer = admit(enroll('pump-1').certificate);
  const publish = { topic: 'd/pump-1/state', ...message };
  const permitted = new Grant(peer, permissions).permitPublish(publish);
  assert.ok(PermittedMessage.is(permitted));
  assert.deepEqual(Object.assign({}, permitted), { peer, ...publish });
});

test('a service reads everything and publishes about itself only', (t) => {
  const lab = openLab(t);
  const { enroll, admit } = lab;
  const { permissions } = openPermissions(lab);
  parsed(lab.registry.add({ id: 'billing', class: 'service' }));
  const grant = new Grant(admit(enroll('billing').certificate), permissions);
  for (const topic of ['d/billing/state', 'd/billing/telemetry', 'd/billing/telemetry/x']) {
    assert.ok(PermittedMessage.is(grant.permitPublish({ topic, ...message })), topic);
  }
  for (const topic of [
    'd/pump-1/cmd/set',
    'd/billing/cmd/set',
    'd/billing/ack/set',
    'd/pump-1/state',
    'd/billing/state/x',
    '$holdfast/x',
  ]) {
    const refusal = grant.permitPublish({ topic, ...message });
    assert.equal(codeOf(refusal), 'E_AUTHORIZE_PUBLISH', topic);
  }
  for (const filter of ['d/#', 'd', 'd/+/telemetry/#', 'd/pump-1/state', '$holdfast/#']) {
    assert.equal(grant.permitSubscription(filter), true, filter);
  }
  for (const filter of ['#', '+/#', '+/pump-1/state', '$SYS/#', '$share/x/d/#', 'D/#', 'd1/#']) {
    assert.equal(codeOf(grant.permitSubscription(filter)), 'E_AUTHORIZE_SUBSCRIBE', filter);
  }
});

test('an operator commands each device by name and reads everything', (t) => {
  const lab = openLab(t);
  lab.enroll('pump-1');
  const { permissions } = openPermissions(lab, { 'person:ada': 'operator' });
  const grant = new Grant(admitPerson(lab, 'person:ada'), permissions);
  assert.ok(PermittedMessage.is(grant.permitPublish({ topic: 'd/pump-1/cmd/set', ...message })));
  for (const topic of [
    'd/pump-1/cmd',
    'd/pump-1/cmd/set/x',
    'd/pump-1/telemetry',
    'd/pump-1/state',
    'd/pump-2/cmd/set',
    'd/person:ada/state',
    '$holdfast/x',
  ]) {
    const refusal = grant.permitPublish({ topic, ...message });
    assert.equal(codeOf(refusal), 'E_AUTHORIZE_PUBLISH', topic);
  }
  assert.equal(grant.permitSubscription('d/+/telemetry/#'), true);
  assert.equal(grant.permitSubscription('$holdfast/#'), true);
  assert.equal(codeOf(grant.permitSubscription('#')), 'E_AUTHORIZE_SUBSCRIBE');
});

test('a viewer hears everything and commands nothing, an auditor is no exception', (t) => {
  const lab = openLab(t);
  lab.enroll('pump-1');
  const roles = { 'person:eve': 'viewer', 'person:al': 'auditor' } as const;
  const { permissions } = openPermissions(lab, roles);
  for (const principal of Object.keys(roles)) {
    const grant = new Grant(admitPerson(lab, principal), permissions);
    assert.equal(grant.permitSubscription('d/#'), true);
    const refusal = grant.permitPublish({ topic: 'd/pump-1/cmd/set', ...message });
    assert.equal(codeOf(refusal), 'E_AUTHORIZE_PUBLISH');
  }
});

test('the scope of a token holds on topics: of actions, and of a group', (t) => {
  const lab = openLab(t);
  parsed(lab.registry.add({ id: 'pump-n', class: 'sensor', group: 'north' }));
  parsed(lab.registry.add({ id: 'pump-s', class: 'sensor', group: 'south' }));
  const { permissions } = openPermissions(lab, { 'person:ada': 'administrator' });
  const grantOf = (scope: TokenScope): Grant =>
    new Grant(admitPerson(lab, 'person:ada', scope), permissions);
  const mayCommand = (grant: Grant, id: string): boolean =>
    PermittedMessage.is(grant.permitPublish({ topic: `d/${id}/cmd/set`, ...message }));
  const reads = grantOf({ actions: ['reads'] });
  assert.equal(reads.permitSubscription('d/#'), true);
  assert.equal(reads.permitSubscription('$holdfast/#'), true);
  assert.equal(mayCommand(reads, 'pump-n'), false);
  const north = grantOf({ group: 'north' });
  assert.equal(north.permitSubscription('d/pump-n/#'), true);
  for (const filter of ['d/#', 'd/+/telemetry', 'd/pump-s/#', 'd/nobody/state', '$holdfast/#']) {
    assert.equal(codeOf(north.permitSubscription(filter)), 'E_AUTHORIZE_SUBSCRIBE', filter);
  }
  assert.deepEqual([mayCommand(north, 'pump-n'), mayCommand(north, 'pump-s')], [true, false]);
  // The device leaves the group: what is subscribed to is looked at again by the same question.
  lab.registry.setGroup(['pump-n'], 'south');
  assert.equal(codeOf(north.permitSubscription('d/pump-n/#')), 'E_AUTHORIZE_SUBSCRIBE');
});

test('whoever is no principal any more may do nothing', (t) => {
  const lab = openLab(t);
  lab.enroll('pump-1');
  const roles: Record<string, RoleName> = { 'person:ada': 'administrator' };
  const { permissions } = openPermissions(lab, roles);
  const grant = new Grant(admitPerson(lab, 'person:ada'), permissions);
  const topic = 'd/pump-1/cmd/set';
  assert.ok(PermittedMessage.is(grant.permitPublish({ topic, ...message })));
  delete roles['person:ada'];
  assert.equal(codeOf(grant.permitPublish({ topic, ...message })), 'E_AUTHORIZE_PUBLISH');
  assert.equal(codeOf(grant.permitSubscription('d/#')), 'E_AUTHORIZE_SUBSCRIBE');
});

test('not even an administrator speaks for a device', (t) => {
  const lab = openLab(t);
  lab.enroll('pump-1');
  const { permissions } = openPermissions(lab, { 'person:ada': 'administrator' });
  const grant = new Grant(admitPerson(lab, 'person:ada'), permissions);
  for (const topic of ['d/pump-1/telemetry', 'd/pump-1/state', 'd/pump-1/ack/x']) {
    const refusal = grant.permitPublish({ topic, ...message });
    assert.equal(codeOf(refusal), 'E_AUTHORIZE_PUBLISH', topic);
  }
});

test('another policy, and a change of the device, hold for the next message', (t) => {
  const lab = openLab(t);
  const { certificate } = lab.enroll('pump-1');
  const { permissions, policies } = openPermissions(lab);
  const grant = new Grant(lab.admit(certificate), permissions);
  const topic = 'd/pump-1/telemetry';
  const code = (): string => {
    const permitted = grant.permitPublish({ topic, ...message });
    return PermittedMessage.is(permitted) ? 'permitted' : codeOf(permitted);
  };
  assert.equal(code(), 'permitted');
  policies.authorizer.activate(`${DEFAULT_POLICY}
    forbid (principal, action == Action::"publish", resource)
    when { principal is Device && principal.state == State::"quarantined" };`);
  assert.equal(code(), 'permitted');
  parsed(lab.registry.changeState('pump-1', { act: 'quarantine', by: 'server', reason: 'a test' }));
  assert.equal(code(), 'E_AUTHORIZE_PUBLISH');
  policies.authorizer.activate(DEFAULT_POLICY);
  assert.equal(code(), 'permitted');
});

test('a service of one group hears devices of it by name, and no wildcard', (t) => {
  const lab = openLab(t);
  parsed(lab.registry.add({ id: 'north', class: 'service', group: 'north' }));
  parsed(lab.registry.add({ id: 'pump-n', class: 'sensor', group: 'north' }));
  parsed(lab.registry.add({ id: 'pump-s', class: 'sensor', group: 'south' }));
  const { permissions, policies } = openPermissions(lab);
  const grant = new Grant(lab.admit(lab.enroll('north').certificate), permissions);
  assert.equal(grant.permitSubscription('d/+/telemetry/#'), true);
  policies.authorizer.activate(`
    permit (principal in DeviceClass::"service", action == Action::"subscribe", resource)
    when { resource has device && resource.device.group == principal.group };`);
  assert.equal(grant.permitSubscription('d/pump-n/telemetry/#'), true);
  for (const filter of ['d/pump-s/telemetry/#', 'd/nobody/state', 'd/+/telemetry/#', 'd/#']) {
    assert.equal(codeOf(grant.permitSubscription(filter)), 'E_AUTHORIZE_SUBSCRIBE', filter);
  }
});

test('the rules of a device permit nothing to a person', (t) => {
  const lab = openLab(t);
  const { permissions } = openPermissions(lab);
  for (const principal of ['person:ada', 'pump-1']) {
    const grant = new Grant(admitPerson(lab, principal), permissions);
    const topic = `d/${principal}/state`;
    assert.equal(codeOf(grant.permitPublish({ topic, ...message })), 'E_AUTHORIZE_PUBLISH');
    const filter = `d/${principal}/cmd/#`;
    assert.equal(codeOf(grant.permitSubscription(filter)), 'E_AUTHORIZE_SUBSCRIBE');
  }
});

function admitPerson({ gate, clock }: Lab, principal: string, scope?: TokenScope): AdmittedPeer {
  const liveUntilMs = (): number => clock.nowMs() + 1_000;
  return gate.admitPerson({ principal, scope, address: '::1', liveUntilMs });
}
