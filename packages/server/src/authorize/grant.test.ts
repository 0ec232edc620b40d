import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, openLab } from '../session/lab.testing.ts';
import { Grant, PermittedMessage, REMEMBERED_TOPICS_MAX } from './grant.ts';
import { OPERATOR_RULES, rulesOf } from './topic-rules.ts';

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
  const { enroll, admit } = openLab(t);
  const grant = new Grant(admit(enroll('pump-1').certificate));
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
  const { enroll, admit } = openLab(t);
  const grant = new Grant(admit(enroll('pump-1').certificate));
  for (let n = 0; n < REMEMBERED_TOPICS_MAX + 2; n += 1) {
    const topic = `d/pump-1/telemetry/${n}`;
    assert.ok(PermittedMessage.is(grant.permitPublish({ topic, ...message })));
  }
  const topic = 'd/pump-2/telemetry';
  assert.equal(codeOf(grant.permitPublish({ topic, ...message })), 'E_AUTHORIZE_PUBLISH');
});

test('a device subscribes to its commands and to nothing wider [E_AUTHORIZE_SUBSCRIBE]', (t) => {
  const { enroll, admit } = openLab(t);
  const grant = new Grant(admit(enroll('pump-1').certificate));
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
  const { enroll, admit } = openLab(t);
  const grant = new Grant(admit(enroll('a.b-c_d').certificate));
  const topic = 'd/a.b-c_d/state';
  assert.ok(PermittedMessage.is(grant.permitPublish({ topic, ...message })));
});

test('a permitted message is what was sent', (t) => {
  const { enroll, admit } = openLab(t);
  const peer = admit(enroll('pump-1').certificate);
  const publish = { topic: 'd/pump-1/state', ...message };
  const permitted = new Grant(peer).permitPublish(publish);
  assert.ok(PermittedMessage.is(permitted));
  assert.deepEqual(Object.assign({}, permitted), { peer, ...publish });
});

test('sensors, actuators and gateways have the rules of a device', () => {
  const [sensor, ...others] = [rulesOf('sensor'), rulesOf('actuator'), rulesOf('gateway')];
  for (const rules of others) assert.equal(rules, sensor);
});

test('a service reads everything and publishes about itself only', (t) => {
  const { enroll, admit } = openLab(t);
  const grant = new Grant(admit(enroll('billing').certificate), rulesOf('service'));
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
  const { gate, clock } = openLab(t);
  const notAfterMs = clock.nowMs() + 1_000;
  const peer = gate.admitPerson({
    principal: 'person:ada',
    address: '::1',
    liveUntilMs: () => notAfterMs,
  });
  const grant = new Grant(peer, OPERATOR_RULES);
  assert.ok(PermittedMessage.is(grant.permitPublish({ topic: 'd/pump-1/cmd/set', ...message })));
  for (const topic of [
    'd/pump-1/cmd',
    'd/pump-1/cmd/set/x',
    'd/pump-1/telemetry',
    'd/pump-1/state',
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

test('the rules of a device permit nothing to a person', (t) => {
  const { gate, clock } = openLab(t);
  const notAfterMs = clock.nowMs() + 1_000;
  for (const principal of ['person:ada', 'pump-1']) {
    const grant = new Grant(
      gate.admitPerson({ principal, address: '::1', liveUntilMs: () => notAfterMs }),
    );
    const topic = `d/${principal}/state`;
    assert.equal(codeOf(grant.permitPublish({ topic, ...message })), 'E_AUTHORIZE_PUBLISH');
    const filter = `d/${principal}/cmd/#`;
    assert.equal(codeOf(grant.permitSubscription(filter)), 'E_AUTHORIZE_SUBSCRIBE');
  }
});
