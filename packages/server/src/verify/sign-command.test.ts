import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Refusal, canonicalJson } from '@holdfast/protocol';
import fc from 'fast-check';
import { Secret } from '../kernel/index.ts';
import type { Device } from '../registry/index.ts';
import { signCommand } from './sign-command.ts';
import { VerifiedMessage } from './verified-message.ts';

const COMMAND_KEY = Buffer.alloc(32, 2);
const device: Device = {
  id: 'dev-1',
  class: 'sensor',
  group: '',
  state: 'active',
  stateReason: '',
  stateBy: '',
  stateAtMs: 0,
  statesBefore: [],
  createdAtMs: 0,
  contentKeyRef: 9,
  formerContentKeyRefs: [],
  payloadKeyGeneration: 1,
  isPayloadKeyInUse: true,
};

function sign(body: Readonly<Record<string, unknown>>): VerifiedMessage | Refusal {
  const payloadKey = new Secret(Buffer.alloc(32, 1));
  const keys = { kid: '1.1', payloadKey, commandKey: new Secret(COMMAND_KEY) };
  const [name, principal] = ['open', 'person:ada'];
  return signCommand({ device, keys, name, body, principal, counter: 7, nowMs: 1_000 });
}

function payloadOf(message: VerifiedMessage | Refusal): Record<string, unknown> {
  assert.ok(VerifiedMessage.is(message), message instanceof Refusal ? message.detail : '');
  return JSON.parse(Buffer.from(message.body).toString('utf8')) as Record<string, unknown>;
}

test('a command carries name, counter, time and the signature of the command key', () => {
  const { sig, ...rest } = payloadOf(sign({ angle: 90 }));
  assert.deepEqual(rest, { angle: 90, cmd: 'open', ctr: 7, ts: 1_000 });
  const signed = '{"angle": 90, "cmd": "open", "ctr": 7, "ts": 1000}';
  assert.equal(sig, createHmac('sha256', COMMAND_KEY).update(signed).digest('hex'));
});

test('what a body says of name, counter and time does not count', () => {
  const { cmd, ctr, ts } = payloadOf(sign({ cmd: 'close', ctr: 99, ts: 0 }));
  assert.deepEqual([cmd, ctr, ts], ['open', 7, 1_000]);
});

test('a body that cannot be signed is refused [E_OPERATE_INPUT]', () => {
  let deep: unknown = [];
  for (let depth = 0; depth < 10_000; depth++) deep = [deep];
  const bodies = [
    { deep },
    { large: 'x'.repeat(65_536) },
    { infinite: Infinity },
    { sig: 'a' },
    { missing: undefined },
  ];
  for (const body of bodies) {
    const refusal = sign(body);
    assert.ok(refusal instanceof Refusal);
    assert.equal(refusal.code, 'E_OPERATE_INPUT');
  }
});

test('any JSON object is signed as it is, or refused', () => {
  const body = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 40 }));
  fc.assert(
    fc.property(body, (body) => {
      const message = sign(body);
      if (message instanceof Refusal) {
        assert.equal(message.code, 'E_OPERATE_INPUT');
        return;
      }
      const { sig, ...rest } = payloadOf(message);
      const signed = canonicalJson(JSON.stringify(rest));
      assert.ok(typeof signed === 'string' && typeof sig === 'string');
      const expected: unknown = JSON.parse(
        JSON.stringify({ ...body, cmd: 'open', ctr: 7, ts: 1_000 }),
      );
      // A second pass through JSON.stringify, because it alone forgets the sign of a zero.
      assert.deepEqual(JSON.parse(JSON.stringify(rest)), expected);
    }),
  );
});
