/** Runs the program of the Python guide as it stands there, with the paho-mqtt of Debian. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import { signed, startBroker } from '../test-support/scripted-broker.ts';
import { foreignKey, testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { issue, pinsOf, testPki } from '../test-support/test-pki.ts';

const GUIDE = new URL('../../../docs/guides/python-device.md', import.meta.url);
// Debian's own Python, for which its package python3-paho-mqtt is installed.
const PYTHON = process.env['HOLDFAST_PYTHON'] ?? '/usr/bin/python3';
const PKI = testPki();

/** Starts the program; its lines can be waited for. */
function startProgram(t: TestContext, bundle: string) {
  const program = /```python\n(.*?)```/su.exec(readFileSync(GUIDE, 'utf8'))?.[1];
  assert.ok(program !== undefined);
  const path = join(testFolder(t), 'device.py');
  writeFileSync(path, program);
  const child = spawn(PYTHON, [path, bundle], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value).trim();
  return { child, nextLine };
}

test('the Python guide: readings verify, commands are verified', async (t) => {
  const broker = await startBroker(t, PKI);
  const bundle = writeTestBundle(join(testFolder(t), 'b'), { pki: PKI, port: broker.port });
  const { nextLine } = startProgram(t, bundle.folder);
  const { topic, payload } = await broker.packet('publish');
  assert.equal(topic, 'd/thermostat-1/telemetry');
  const parsed = parseSignedJson(payload);
  assert.ok(!(parsed instanceof Refusal));
  const tag = createHmac('sha256', bundle.payloadKey).update(parsed.signedBytes).digest();
  assert.deepEqual(Buffer.from(parsed.signature), tag);
  assert.ok(Math.abs(Date.now() - (parsed.timeMs ?? 0)) < 60_000);
  assert.equal(await nextLine(), 'durable on the server');

  await broker.packet('subscribe');
  const ts = Date.now();
  const genuine = signed(bundle.commandKey, {
    cmd: 'setpoint',
    celsius: 1e-7,
    note: 'wärmer',
    ctr: 5,
    ts,
  });
  const payloads = [
    signed(foreignKey(), { cmd: 'setpoint', ctr: 6, ts }),
    'no JSON',
    genuine,
    genuine,
    signed(bundle.commandKey, { cmd: 'setpoint', ctr: 6, ts: ts - 310_000 }),
    signed(bundle.commandKey, { cmd: 'setpoint', ctr: 7, ts }),
  ];
  const said: string[] = [];
  for (const [i, text] of payloads.entries()) {
    broker.connections[0]?.command({ name: 'setpoint', payload: text, packetId: i + 1 });
    let line = await nextLine();
    // Of the next reading, which is due every ten seconds.
    while (line === 'durable on the server') line = await nextLine();
    said.push(line.split(' ').slice(0, 2).join(' '));
  }
  const refused = 'refused setpoint';
  const command = 'command setpoint';
  assert.deepEqual(said, [refused, refused, command, refused, refused, command]);
});

test('the Python guide: a server that is not pinned gets no byte', async (t) => {
  const { issuer } = PKI;
  const twin = issue({ name: 'twin', issuer, hosts: ['localhost'], purpose: 'server' });
  const broker = await startBroker(t, PKI, { server: twin });
  const options = { pki: PKI, port: broker.port, pins: pinsOf(PKI.server) };
  const bundle = writeTestBundle(join(testFolder(t), 'b'), options);
  const { child } = startProgram(t, bundle.folder);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  // Not at its exit: what it printed last may not have been read by then.
  await once(child, 'close');
  assert.match(errors, /not pinned/u);
  await broker.idle();
  assert.equal(broker.bytesReceived, 0);
});
