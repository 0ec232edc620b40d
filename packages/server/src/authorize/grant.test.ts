import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, openLab } from '../session/lab.testing.ts';
import { Grant, PermittedMessage, REMEMBERED_TOPICS_MAX } from './grant.ts';

const message = { payload: new Uint8Array(0), retain: false, qos: 1 } as const;

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
