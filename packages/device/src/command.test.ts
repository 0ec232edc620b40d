import assert from 'node:assert/strict';
import { type KeyObject, createSecretKey, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { signed } from '../test-support/scripted-broker.ts';
import { testFolder } from '../test-support/test-bundle.ts';
import { CommandWindow } from './command-window.ts';
import { verifyCommand } from './command.ts';
import { COMMAND_AGE_MS_MAX } from './limits.ts';

const KEY = createSecretKey(randomBytes(32));
const NOW_MS = 1_800_000_000_000;

/** Signs as the server does; "cmd" is the name that the default topic below has. */
function sign(key: KeyObject, body: Record<string, unknown>): string {
  return signed(key, { cmd: 'setpoint', ...body });
}

function verifier(t: TestContext) {
  const window = new CommandWindow(join(testFolder(t), 'seen'));
  return (payload: string, topic = 'd/t-1/cmd/setpoint') => {
    const deps = { device: 't-1', commandKey: KEY, window, nowMs: NOW_MS };
    const result = verifyCommand({ topic, payload: Buffer.from(payload, 'utf8') }, deps);
    return result instanceof Refusal ? result.code : result;
  };
}

test('a genuine command comes without what the server added', (t) => {
  const verify = verifier(t);
  const payload = sign(KEY, { celsius: 21.5, note: 'wärmer', ctr: 1, ts: NOW_MS });
  assert.deepEqual(verify(payload), {
    name: 'setpoint',
    body: { celsius: 21.5, note: 'wärmer' },
    ctr: 1,
    ts: NOW_MS,
  });
});

test('the name is all of the topic below cmd, and only topics of this device are commands', (t) => {
  const verify = verifier(t);
  const payload = (ctr: number) => sign(KEY, { cmd: 'light/kitchen', ctr, ts: NOW_MS });
  const command = verify(payload(1), 'd/t-1/cmd/light/kitchen');
  assert.equal(typeof command === 'object' && command.name, 'light/kitchen');
  for (const topic of ['d/t-1/cmd', 'd/t-1/cmd/', 'd/t-2/cmd/setpoint', 'd/t-1/telemetry']) {
    assert.equal(verify(payload(2), topic), 'E_AUTHORIZE_SUBSCRIBE', topic);
  }
});

test('a forged or altered command is refused and does not move the window [E_VERIFY_SIG]', (t) => {
  const verify = verifier(t);
  const foreign = createSecretKey(randomBytes(32));
  assert.equal(verify(sign(foreign, { ctr: 9_000_000, ts: NOW_MS })), 'E_VERIFY_SIG');
  const payload = sign(KEY, { celsius: 21, ctr: 1, ts: NOW_MS });
  assert.equal(verify(payload.replace('21', '99')), 'E_VERIFY_SIG');
  assert.equal(typeof verify(payload), 'object');
});

test('a command that was moved to another topic is refused [E_VERIFY_COMMAND]', (t) => {
  const verify = verifier(t);
  const payload = sign(KEY, { cmd: 'lock', ctr: 1, ts: NOW_MS });
  assert.equal(verify(payload, 'd/t-1/cmd/unlock'), 'E_VERIFY_COMMAND');
  assert.equal(verify(signed(KEY, { ctr: 1, ts: NOW_MS })), 'E_VERIFY_COMMAND');
  assert.equal(typeof verify(payload, 'd/t-1/cmd/lock'), 'object');
});

test('a command is carried out once [E_VERIFY_REPLAY]', (t) => {
  const verify = verifier(t);
  const payload = sign(KEY, { ctr: 7, ts: NOW_MS });
  assert.equal(typeof verify(payload), 'object');
  assert.equal(verify(payload), 'E_VERIFY_REPLAY');
});

test('its time may be five minutes off, either way [E_VERIFY_STALE] [E_VERIFY_FUTURE]', (t) => {
  const verify = verifier(t);
  const at = (ctr: number, offsetMs: number) => sign(KEY, { ctr, ts: NOW_MS + offsetMs });
  assert.equal(verify(at(1, -COMMAND_AGE_MS_MAX - 1)), 'E_VERIFY_STALE');
  assert.equal(verify(at(2, COMMAND_AGE_MS_MAX + 1)), 'E_VERIFY_FUTURE');
  assert.equal(typeof verify(at(3, -COMMAND_AGE_MS_MAX)), 'object');
  assert.equal(typeof verify(at(4, COMMAND_AGE_MS_MAX)), 'object');
});

test('a command without time, counter or signature, or that is no JSON, is refused', (t) => {
  const verify = verifier(t);
  assert.equal(verify(sign(KEY, { ctr: 1 })), 'E_VERIFY_TIME_FORM');
  assert.equal(verify(sign(KEY, { ts: NOW_MS })), 'E_VERIFY_COUNTER_MISSING');
  assert.equal(verify(`{"ctr": 1, "ts": ${NOW_MS}}`), 'E_VERIFY_SIG_MISSING');
  assert.equal(verify('open the door'), 'E_VERIFY_JSON');
  assert.equal(verify(''), 'E_VERIFY_JSON');
});

test('a member named __proto__ is a member and nothing else', (t) => {
  const verify = verifier(t);
  const payload = JSON.parse('{"__proto__": {"isAdmin": true}}') as Record<string, unknown>;
  const command = verify(sign(KEY, Object.assign(payload, { ctr: 1, ts: NOW_MS })));
  assert.ok(typeof command === 'object');
  assert.equal(command.body['isAdmin'], undefined);
  assert.deepEqual(Object.keys(command.body), ['__proto__']);
});
