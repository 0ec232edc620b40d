import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { UserProperty } from '@holdfast/protocol/mqtt';
import { testFolder } from '../test-support/test-bundle.ts';
import { type UnsignedMessage, signProperties } from './signed-properties.ts';

const GUIDE = new URL('../../../docs/guides/python-device.md', import.meta.url);
const PYTHON = process.env['HOLDFAST_PYTHON'] ?? '/usr/bin/python3';
const KEY = Buffer.alloc(32, 7);

/** The signing program of the guide, and the one that publishes with paho. */
const [, SIGN = '', PUBLISH = ''] = [
  ...readFileSync(GUIDE, 'utf8').matchAll(/```python\n(.*?)```/gsu),
].map(([, program]) => program);

/** Runs programs of the guide where a bundle is, and reads the JSON that the last one prints. */
function run(t: TestContext, ...programs: readonly string[]): unknown {
  const cwd = testFolder(t);
  mkdirSync(join(cwd, 'thermostat-1'));
  writeFileSync(join(cwd, 'thermostat-1', 'holdfast.json'), '{"kid": "1.2"}');
  writeFileSync(join(cwd, 'thermostat-1', 'payload.key'), `${KEY.toString('hex')}\n`);
  const program = programs.join('\n');
  return JSON.parse(execFileSync(PYTHON, ['-'], { cwd, input: program, encoding: 'utf8' }));
}

/** What the SDK signs, under the key and the stamp of these tests. */
function sdkSignature(message: UnsignedMessage): string | undefined {
  const options = { key: createSecretKey(KEY), kid: '1.2', ctr: 8, ts: 1_795_000_000_000 };
  return signProperties(message, options).at(-1)?.[1];
}

test('the Python guide signs any bytes as the SDK does', (t) => {
  const printed = run(
    t,
    SIGN,
    `
image = bytes(range(256))
more = ["retain=1", "payload-format=0", "content-type=image/png", "response-topic=d/a/ack/ü",
        "correlation-data=00ff", "property=unit\\t°C", "property=a=b\\t"]
stamp = (8, 1795000000000)
print(json.dumps([
    signature("d/thermostat-1/telemetry", b"\\n\\n", *stamp),
    signature("d/thermostat-1/telemetry/wärme", b"", *stamp),
    signature("d/thermostat-1/state", image, *stamp, more),
]))`,
  );
  const image = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.deepEqual(printed, [
    sdkSignature({ topic: 'd/thermostat-1/telemetry', payload: Buffer.from('\n\n') }),
    sdkSignature({ topic: 'd/thermostat-1/telemetry/wärme', payload: Buffer.alloc(0) }),
    sdkSignature({
      topic: 'd/thermostat-1/state',
      payload: image,
      retain: true,
      properties: {
        payloadFormat: 0,
        contentType: 'image/png',
        responseTopic: 'd/a/ack/ü',
        correlationData: Uint8Array.of(0, 255),
        userProperties: [
          ['unit', '°C'],
          ['a=b', ''],
        ],
      },
    }),
  ]);
});

/** As `openssl dgst -sha256 -mac HMAC` computes it: a change of it would lock devices out. */
test('the signature of a known message', (t) => {
  const known = 'aa3f34abeeff3d995d6529f8320f2541ff5f987221a74522e69f5bf16d6c3504';
  const message = { topic: 'd/thermostat-1/telemetry', payload: Buffer.from([0xff, 0, 0x0a]) };
  assert.equal(sdkSignature(message), known);
  const call = 'signature("d/thermostat-1/telemetry", b"\\xff\\0\\n", 8, 1795000000000)';
  assert.equal(run(t, SIGN, `print(json.dumps(${call}))`), known);
});

test('the Python guide publishes with the four properties, counting on', (t) => {
  const printed = run(
    t,
    SIGN,
    PUBLISH,
    `
class Client:
    def publish(self, topic, payload, qos, properties):
        return properties.UserProperty

print(json.dumps([publish(Client(), "d/thermostat-1/state", b"\\xff") for _ in range(2)]))`,
  );
  const [first = [], second = []] = printed as UserProperty[][];
  for (const properties of [first, second]) {
    const names = properties.map(([name]) => name);
    assert.deepEqual(names, ['kid', 'ctr', 'ts', 'sig']);
    const { kid, ctr, ts, sig } = Object.fromEntries(properties);
    const topic = 'd/thermostat-1/state';
    const options = { key: createSecretKey(KEY), kid: `${kid}`, ctr: Number(ctr), ts: Number(ts) };
    const own = signProperties({ topic, payload: Uint8Array.of(0xff) }, options);
    assert.equal(sig, own.at(-1)?.[1]);
  }
  assert.ok(Number(second[1]?.[1]) > Number(first[1]?.[1]));
});
