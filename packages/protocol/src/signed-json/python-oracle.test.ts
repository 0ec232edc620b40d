/** Python's own json and hmac decide: what devices print is recovered, what we print verifies. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { Refusal } from '../refusal.ts';
import { signableObject } from './arbitraries.ts';
import { SIGNED_JSON_LIMITS } from './limits.ts';
import { parseSignedJson } from './parse-signed-json.ts';
import { prepareSignedJson } from './prepare-signed-json.ts';

const SEED = Number(process.env['HOLDFAST_TEST_SEED'] ?? randomInt(2 ** 31 - 1));
const LIMITS = { ...SIGNED_JSON_LIMITS, bytesMax: 1_048_576 };

interface DeviceCase {
  readonly kind: string;
  readonly payload: string;
  readonly canonical: string;
  readonly key: string;
  readonly ctr: number;
  readonly timeMs: number;
}

interface ReceiverAnswer {
  readonly canonical: string;
  readonly verified: boolean;
}

test('recovers byte for byte what a device in Python signed', (t) => {
  t.diagnostic(`HOLDFAST_TEST_SEED=${SEED}`);
  const cases = runPython<DeviceCase>(['generate', String(SEED), '3000'], '');
  const countOfKind = new Map<string, number>();
  let numericOrderCount = 0;
  for (const [i, { kind, payload, canonical, key, ctr, timeMs }] of cases.entries()) {
    countOfKind.set(kind, (countOfKind.get(kind) ?? 0) + 1);
    const bytes = Uint8Array.fromBase64(payload);
    const context = `seed ${SEED}, case ${i}, ${kind}`;
    const parsed = parseSignedJson(bytes, LIMITS);
    assert.ok(
      !(parsed instanceof Refusal),
      `${parsed instanceof Refusal && parsed.detail} ${context}`,
    );

    const isTextOrder = parsed.signedBytes.toBase64() === canonical;
    if (!isTextOrder) numericOrderCount += 1;
    const signedBytes = isTextOrder ? parsed.signedBytes : parsed.numericOrderBytes;
    assert.ok(signedBytes?.toBase64() === canonical, context);
    assert.equal(parsed.signature.toHex(), hmacHex(key, Uint8Array.fromBase64(canonical)), context);
    assert.equal(parsed.counter, ctr, context);
    assert.ok(Math.abs((parsed.timeMs ?? Number.NaN) - timeMs) <= 1, context);
  }
  assert.ok(numericOrderCount > 100, 'the cases must exercise numeric order');
  for (const kind of FIXED_KINDS) assert.ok((countOfKind.get(kind) ?? 0) >= 8, kind);
  assert.equal(countOfKind.get('random'), 3000);
});

test('prints payloads that a receiver in Python verifies', (t) => {
  t.diagnostic(`HOLDFAST_TEST_SEED=${SEED}`);
  const objects = fc.sample(signableObject, { numRuns: 2000, seed: SEED });
  const sent = objects.map((object) => {
    const key = randomBytes(32).toString('hex');
    const { signedBytes, finish } = prepareSignedJson(object);
    const payload = new TextEncoder().encode(finish(hmacHex(key, signedBytes)));
    return { key, payload: payload.toBase64(), canonical: signedBytes.toBase64() };
  });
  const lines = sent.map(({ key, payload }) => JSON.stringify({ key, payload })).join('\n');
  const answers = runPython<ReceiverAnswer>(['check'], lines);
  assert.equal(answers.length, sent.length);
  for (const [i, answer] of answers.entries()) {
    const context = `seed ${SEED}, case ${i}`;
    assert.ok(answer.canonical === sent[i]?.canonical, context);
    assert.ok(answer.verified, context);
  }
});

/** Kinds of cases that the script always makes: a case lost there must not go unnoticed here. */
const FIXED_KINDS = [
  'empty containers',
  'floats',
  'integers',
  'characters',
  'code point order',
  'lone surrogates',
  'number keys',
  'digits as text',
  'only one key',
  'depth',
  'prefixes',
  'sig below the top',
  'names',
  'large',
];

function hmacHex(keyHex: string, bytes: Uint8Array): string {
  return createHmac('sha256', Uint8Array.fromHex(keyHex)).update(bytes).digest('hex');
}

/** Runs the script to its end, and parses each line that it prints. */
function runPython<Line>(args: readonly string[], input: string): Line[] {
  const script = fileURLToPath(new URL('python_oracle.py', import.meta.url));
  const { status, error, stdout, stderr } = spawnSync(
    '/usr/bin/env',
    ['python3', script, ...args],
    { input, encoding: 'utf8', maxBuffer: 1024 ** 3 },
  );
  const reason = error?.message ?? stderr;
  assert.equal(status, 0, `This test needs python3, as its oracle; it failed: ${reason}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line));
}
