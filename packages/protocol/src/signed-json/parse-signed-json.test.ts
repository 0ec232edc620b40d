import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Refusal } from '../refusal.ts';
import { signableObject } from './arbitraries.ts';
import { SIGNED_JSON_LIMITS } from './limits.ts';
import { parseSignedJson, type SignedJson } from './parse-signed-json.ts';
import { prepareSignedJson } from './prepare-signed-json.ts';
import { meaningOf } from './strict-reader.testing.ts';

const SIG = '0123456789abcdef'.repeat(4);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

function parse(json: string): SignedJson {
  const parsed = parseSignedJson(encode(json));
  assert.ok(!(parsed instanceof Refusal), json);
  return parsed;
}

function codeOf(json: string | Uint8Array): string {
  const parsed = parseSignedJson(typeof json === 'string' ? encode(json) : json);
  return parsed instanceof Refusal ? parsed.code : 'accepted';
}

test('takes "sig" out wherever it stands, and nothing else', () => {
  const sig = `"sig":"${SIG}"`;
  const cases: readonly (readonly [string, string])[] = [
    [`{${sig},"ctr":1}`, '{"ctr": 1}'],
    [`{"ctr":1,${sig}}`, '{"ctr": 1}'],
    [`{"ctr":1,${sig},"x":2}`, '{"ctr": 1, "x": 2}'],
    [`{"z":3,${sig},"ctr":1}`, '{"ctr": 1, "z": 3}'],
    [`{"seq":1,${sig}}`, '{"seq": 1}'],
    [`{"t":1,"si":2,"sigs":3,${sig},"ctr":4}`, '{"ctr": 4, "si": 2, "sigs": 3, "t": 1}'],
    [`{"\\u0073ig":"${SIG}","ctr":1}`, '{"ctr": 1}'],
    [
      `{"d":{"sig":1},"l":[{"sig":{}}],${sig},"ctr":1}`,
      '{"ctr": 1, "d": {"sig": 1}, "l": [{"sig": {}}]}',
    ],
    [`{"__proto__":{"sig":1},${sig},"ctr":1}`, '{"__proto__": {"sig": 1}, "ctr": 1}'],
  ];
  for (const [json, signed] of cases) {
    const parsed = parse(json);
    assert.equal(decode(parsed.signedBytes), signed);
    assert.equal(parsed.signature.toHex(), SIG);
    assert.equal(parsed.numericOrderBytes, undefined);
  }
});

test('keeps nothing of the payload, and results do not share bytes', () => {
  const payload = encode(`{"ctr":1,"a":"b","sig":"${SIG}"}`);
  const first = parseSignedJson(payload);
  payload.fill(0x20);
  const second = parse(`{"ctr":2,"a":"c","sig":"${SIG.replaceAll('0', '1')}"}`);
  assert.ok(!(first instanceof Refusal));
  assert.equal(decode(first.signedBytes), '{"a": "b", "ctr": 1}');
  assert.equal(first.signature.toHex(), SIG);
  assert.equal(decode(second.signedBytes), '{"a": "c", "ctr": 2}');
  const large = 'x'.repeat(30_000);
  const results = Array.from({ length: 50 }, (_, i) =>
    parse(`{"ctr":${i},"l":"${i % 7 === 0 ? large : i}","sig":"${SIG}"}`),
  );
  for (const [i, { signedBytes }] of results.entries()) {
    assert.equal(decode(signedBytes), `{"ctr": ${i}, "l": "${i % 7 === 0 ? large : i}"}`);
  }
});

test('offers numeric order when some object has only numbers as keys, and sorts differently', () => {
  const withKeys = (...keys: readonly string[]): SignedJson =>
    parse(`{"a":[{${keys.map((key) => `"${key}":0`).join()}}],"ctr":1,"sig":"${SIG}"}`);
  const orderOf = ({ numericOrderBytes }: SignedJson): string[] | undefined =>
    numericOrderBytes &&
    [...decode(numericOrderBytes).matchAll(/"([^"]*)": 0/g)].map((m) => m[1] ?? '');

  assert.deepEqual(orderOf(withKeys('1', '10', '2')), ['1', '2', '10']);
  assert.deepEqual(orderOf(withKeys('-1', '-2', '0')), ['-2', '-1', '0']);
  assert.deepEqual(orderOf(withKeys('0.5', '10.0', '2.5', 'Infinity')), [
    '0.5',
    '2.5',
    '10.0',
    'Infinity',
  ]);
  assert.deepEqual(orderOf(withKeys('1e+22', '1e-07', '3')), ['1e-07', '3', '1e+22']);
  assert.deepEqual(orderOf(withKeys('-Infinity', '-5', '10', 'false', 'true')), [
    '-Infinity',
    '-5',
    'false',
    'true',
    '10',
  ]);
  const huge = ['100000000000000000000000', '99999999999999999999999'];
  assert.deepEqual(orderOf(withKeys(...huge)), huge.toReversed());
  const twins = ['-9007199254740992', '-9007199254740993', '0'];
  assert.deepEqual(orderOf(withKeys(...twins)), ['-9007199254740993', '-9007199254740992', '0']);

  for (const keys of [
    ['1', '2', '9'],
    ['10', '20'],
    ['7'],
    ['1', '10', '2', 'x'],
    ['01', '10', '2'],
    ['1', '10', '2', ''],
    ['1.', '10', '2'],
    ['+1', '10', '2'],
    ['1', '10', '2 '],
  ]) {
    assert.equal(withKeys(...keys).numericOrderBytes, undefined, keys.join());
  }
});

test('sorts by number only the objects whose keys are numbers', () => {
  const { signedBytes, numericOrderBytes } = parse(
    `{"n":{"2":{"b":1,"a":2},"10":{"11":3,"9":4}},"10":5,"2":6,"ctr":1,"sig":"${SIG}"}`,
  );
  assert.equal(
    decode(signedBytes),
    '{"10": 5, "2": 6, "ctr": 1, "n": {"10": {"11": 3, "9": 4}, "2": {"a": 2, "b": 1}}}',
  );
  assert.equal(
    decode(numericOrderBytes),
    '{"10": 5, "2": 6, "ctr": 1, "n": {"2": {"a": 2, "b": 1}, "10": {"9": 4, "11": 3}}}',
  );
});

test('refuses a payload without "sig" [E_VERIFY_SIG_MISSING]', () => {
  for (const json of ['{}', '{"ctr":1}', '{"SIG":"x"}', '{"a":{"sig":1}}', '{"sig ":1}']) {
    assert.equal(codeOf(json), 'E_VERIFY_SIG_MISSING', json);
  }
});

test('refuses a "sig" that is not 64 lower-case digits [E_VERIFY_SIG_FORM]', () => {
  const sigs = [
    ['', SIG.slice(1), `${SIG}0`, SIG.toUpperCase(), `${SIG.slice(1)}g`, `${SIG.slice(1)}A`],
    ['@', 'A', 'F', 'G', '`', 'g', '/', ':', ' ', '\\n', 'é'].map((digit) => digit + SIG.slice(1)),
  ].flat();
  const strings = sigs.map((sig) => `"${sig}"`);
  const others = ['null', 'true', '1', '1'.repeat(66), '[]', '{}', `["${SIG}"]`];
  for (const value of [...strings, ...others]) {
    assert.equal(codeOf(`{"ctr":1,"sig":${value}}`), 'E_VERIFY_SIG_FORM', value);
  }
});

test('takes the counter from "ctr", or else from "seq"', () => {
  const counterOf = (members: string): number => parse(`{${members},"sig":"${SIG}"}`).counter;
  assert.equal(counterOf('"ctr":0'), 0);
  assert.equal(counterOf('"seq":12'), 12);
  assert.equal(counterOf('"seq":1,"ctr":2'), 2);
  assert.equal(counterOf('"ctr":2,"seq":"x"'), 2);
  assert.equal(counterOf('"ctr":9007199254740990'), 2 ** 53 - 2);
  assert.equal(counterOf('"ctr":9007199254740991'), 2 ** 53 - 1);
  assert.equal(codeOf(`{"sig":"${SIG}","d":{"ctr":1}}`), 'E_VERIFY_COUNTER_MISSING');
});

test('refuses a counter that is no plain integer up to 2^53 - 1 [E_VERIFY_COUNTER_FORM]', () => {
  const values = ['-1', '-0', '1.0', '1e3', '9007199254740992', '9007199254740993', '"1"', 'null'];
  for (const value of [...values, 'true', '[]', '[1]', '{}', '9'.repeat(400), '""']) {
    assert.equal(codeOf(`{"ctr":${value},"sig":"${SIG}"}`), 'E_VERIFY_COUNTER_FORM', value);
    assert.equal(codeOf(`{"seq":${value},"sig":"${SIG}"}`), 'E_VERIFY_COUNTER_FORM', value);
    assert.equal(codeOf(`{"ctr":${value},"seq":1,"sig":"${SIG}"}`), 'E_VERIFY_COUNTER_FORM', value);
  }
});

test('reads "ts" in all its forms, and does without', () => {
  const timeMsOf = (value: string): number | undefined =>
    parse(`{"ctr":1,"ts":${value},"sig":"${SIG}"}`).timeMs;
  assert.equal(parse(`{"ctr":1,"d":{"ts":5},"sig":"${SIG}"}`).timeMs, undefined);
  assert.equal(timeMsOf('1763712345.678'), 1763712345678);
  assert.equal(timeMsOf('1763712345678'), 1763712345678);
  assert.equal(timeMsOf('"2025-11-21T08:05:45.678\\u002B00:00"'), 1763712345678);
  assert.equal(timeMsOf(`1.${'0'.repeat(62)}`), 1000);
  assert.equal(codeOf(`{"ctr":1,"ts":1.${'0'.repeat(63)},"sig":"${SIG}"}`), 'E_VERIFY_TIME_FORM');
  for (const value of ['null', '"now"', '-5', 'false', '{"a":1}', '"2025-11-21T08:05:45"']) {
    assert.equal(codeOf(`{"ctr":1,"ts":${value},"sig":"${SIG}"}`), 'E_VERIFY_TIME_FORM', value);
  }
});

test('checks size, structure, "sig", counter and time in this order', () => {
  const long = ' '.repeat(SIGNED_JSON_LIMITS.bytesMax);
  assert.equal(codeOf(`${long}x`), 'E_VERIFY_SIZE');
  assert.equal(codeOf('{"ctr":-1,"ts":null,"sig":1,}'), 'E_VERIFY_JSON');
  assert.equal(codeOf('{"ctr":-1,"ts":null,"sig":1}'), 'E_VERIFY_SIG_FORM');
  assert.equal(codeOf('{"ctr":-1,"ts":null}'), 'E_VERIFY_SIG_MISSING');
  assert.equal(codeOf(`{"ctr":-1,"ts":null,"sig":"${SIG}"}`), 'E_VERIFY_COUNTER_FORM');
  assert.equal(codeOf(`{"ts":null,"sig":"${SIG}"}`), 'E_VERIFY_COUNTER_MISSING');
});

test('limits the size of a payload [E_VERIFY_SIZE]', () => {
  const json = `{"ctr":1,"sig":"${SIG}"}`;
  const { bytesMax } = SIGNED_JSON_LIMITS;
  assert.equal(codeOf(json.padEnd(bytesMax - 1)), 'accepted');
  assert.equal(codeOf(json.padEnd(bytesMax)), 'accepted');
  assert.equal(codeOf(json.padEnd(bytesMax + 1)), 'E_VERIFY_SIZE');
  const limits = { ...SIGNED_JSON_LIMITS, bytesMax: json.length - 1 };
  const refusal = parseSignedJson(encode(json), limits);
  assert.ok(refusal instanceof Refusal && refusal.code === 'E_VERIFY_SIZE');
});

test('refuses what is no object, or not only one [E_VERIFY_JSON]', () => {
  for (const json of [
    '',
    'null',
    '"sig"',
    '1',
    '[]',
    `[{"ctr":1,"sig":"${SIG}"}]`,
    `{"sig":"${SIG}"}{}`,
  ]) {
    assert.equal(codeOf(json), 'E_VERIFY_JSON', json);
  }
  assert.equal(codeOf(`\ufeff{"ctr":1,"sig":"${SIG}"}`), 'E_VERIFY_JSON');
  assert.equal(codeOf(`{"ctr":1,"sig":"${SIG}","sig":"${SIG}"}`), 'E_VERIFY_DUPLICATE_KEY');
  assert.equal(codeOf(`{"ctr":1,"\\u0063tr":1,"sig":"${SIG}"}`), 'E_VERIFY_DUPLICATE_KEY');
});

test('no byte of a payload can be changed unnoticed', () => {
  // All bytes of this payload in turn get all other values. What stays accepted with the same
  // signed bytes and signature must mean the same to an independent reader.
  const payload = encode(
    `{ "temp" :23.0,"n":[1e-07,-0.0,{"a":true}],"s":"\\u00E9\u20ac\\n\\/","ctr":1,"sig":"${SIG}"}`,
  );
  const counts = countChanges(payload);
  // Blanks into tabs and line ends, and E9 into e9.
  assert.deepEqual(counts, { refusedOrDifferent: payload.length * 255 - 7, equal: 7 });
});

test('no byte of any payload can be changed unnoticed', () => {
  const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(
      signableObject,
      fc.array(change, { minLength: 50, maxLength: 50 }),
      (object, changes) => {
        const payload = encode(prepareSignedJson(object).finish(SIG));
        const original = parseSignedJson(payload);
        for (const { at, byte } of changes) {
          isChangeUnnoticed({ payload, original, at: at % payload.length, byte });
        }
      },
    ),
  );
});

function countChanges(payload: Uint8Array): { refusedOrDifferent: number; equal: number } {
  const counts = { refusedOrDifferent: 0, equal: 0 };
  const original = parseSignedJson(payload);
  for (let at = 0; at < payload.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      if (byte === payload[at]) continue;
      const isUnnoticed = isChangeUnnoticed({ payload, original, at, byte });
      counts[isUnnoticed ? 'equal' : 'refusedOrDifferent'] += 1;
    }
  }
  return counts;
}

/** Tells whether a changed payload verifies like the original; if so, it must mean the same. */
function isChangeUnnoticed(change: {
  readonly payload: Uint8Array;
  readonly original: SignedJson | Refusal;
  readonly at: number;
  readonly byte: number;
}): boolean {
  const { payload, original, at, byte } = change;
  assert.ok(!(original instanceof Refusal));
  const changed = payload.with(at, byte);
  const parsed = parseSignedJson(changed);
  if (parsed instanceof Refusal) return false;
  const isSame =
    decode(parsed.signedBytes) === decode(original.signedBytes) &&
    parsed.signature.toHex() === original.signature.toHex();
  if (isSame) {
    const [meaning, before] = [changed, payload].map((bytes) => meaningOf(strictText(bytes)));
    assert.deepEqual(meaning, before, decode(changed));
  }
  return isSame;
}

function strictText(payload: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
}
