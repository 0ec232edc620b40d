import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Refusal } from '../refusal.ts';
import { signableObject } from './arbitraries.ts';
import { SIGNED_JSON_LIMITS } from './limits.ts';
import { parseSignedJson } from './parse-signed-json.ts';
import { prepareSignedJson } from './prepare-signed-json.ts';

const SIG = '0123456789abcdef'.repeat(4);
const signedText = (object: Record<string, unknown>): string =>
  new TextDecoder().decode(prepareSignedJson(object).signedBytes);

test('prints numbers as Python does', () => {
  const cases: readonly (readonly [number | bigint, string])[] = [
    [23, '23'],
    [23.5, '23.5'],
    [0, '0'],
    [-0, '-0.0'],
    [0.0001, '0.0001'],
    [0.00009999, '9.999e-05'],
    [-0.00001, '-1e-05'],
    [1e-7, '1e-07'],
    [1.25e-10, '1.25e-10'],
    [5e-324, '5e-324'],
    [1e16, '10000000000000000'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [-1.5e300, '-1.5e+300'],
    [2n ** 64n, '18446744073709551616'],
    [-1n, '-1'],
  ];
  for (const [value, printed] of cases)
    assert.equal(signedText({ value }), `{"value": ${printed}}`);
});

test('sorts and escapes, and appends the signature', () => {
  const object = { z: [null, true, 'é\n'], a: { y: {}, x: [] }, '\u{1f600}': 1, '\uffff': 2 };
  const signed =
    '{"a": {"x": [], "y": {}}, "z": [null, true, "\\u00e9\\n"], "\\uffff": 2, "\\ud83d\\ude00": 1}';
  assert.equal(signedText(object), signed);
  assert.equal(prepareSignedJson(object).finish(SIG), `${signed.slice(0, -1)}, "sig": "${SIG}"}`);
  assert.equal(prepareSignedJson({}).finish(SIG), `{"sig": "${SIG}"}`);
});

test('takes "__proto__" for a key like all others', () => {
  const object: Record<string, unknown> = JSON.parse('{"__proto__": {"a": 1}, "b": 2}');
  assert.equal(signedText(object), '{"__proto__": {"a": 1}, "b": 2}');
  const bare: Record<string, unknown> = Object.assign(Object.create(null), { a: 1 });
  assert.equal(signedText(bare), '{"a": 1}');
});

test('is read back as what was signed', () => {
  fc.assert(
    fc.property(signableObject, (object) => {
      const { signedBytes, finish } = prepareSignedJson(object);
      const parsed = parseSignedJson(new TextEncoder().encode(finish(SIG)));
      assert.ok(!(parsed instanceof Refusal));
      assert.deepEqual([...parsed.signedBytes], [...signedBytes]);
      assert.equal(parsed.signature.toHex(), SIG);
      assert.equal(parsed.counter, object['ctr']);
    }),
  );
});

test('throws on what JSON cannot carry, and names its place but not its content', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [undefined, 'of type undefined'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [() => 'secret', 'of type function'],
    [Symbol('secret'), 'of type symbol'],
    [new Date(0), 'of type object'],
    [new Map([['secret', 1]]), 'of type object'],
    [new Uint8Array(2), 'of type object'],
  ];
  for (const [value, what] of cases) {
    assert.throws(() => prepareSignedJson({ a: [1, { b: value }] }), {
      name: 'TypeError',
      message: `object["a"][1]["b"] is ${what}, which JSON cannot carry.`,
    });
  }
  const holes: unknown[] = [];
  holes.length = 1;
  assert.throws(() => prepareSignedJson({ holes }), TypeError);
});

test('throws when the object is no plain one, or carries "sig" already', () => {
  assert.throws(() => prepareSignedJson({ sig: SIG }), TypeError);
  assert.equal(signedText({ a: { sig: 1 } }), '{"a": {"sig": 1}}');
  class Reading {
    readonly ctr = 1;
  }
  assert.throws(() => prepareSignedJson({ nested: new Reading() }), TypeError);
});

test('throws on a signature of another form', () => {
  const { finish } = prepareSignedJson({ ctr: 1 });
  for (const signature of ['', SIG.slice(1), `${SIG}0`, SIG.toUpperCase(), `${SIG}\n`]) {
    assert.throws(() => finish(signature), TypeError);
  }
});

test('limits depth and size to what a receiver accepts', () => {
  const nested = (depth: number): Record<string, unknown> => {
    let value: Record<string, unknown> = { ctr: 1 };
    for (let i = 1; i < depth; i++) value = { a: value };
    return value;
  };
  assert.ok(signedText(nested(SIGNED_JSON_LIMITS.depthMax)).length > 0);
  assert.throws(() => prepareSignedJson(nested(SIGNED_JSON_LIMITS.depthMax + 1)), RangeError);
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  assert.throws(() => prepareSignedJson(cycle), RangeError);

  const frame = prepareSignedJson({ ctr: 1, text: '' }).finish(SIG).length;
  const text = 'x'.repeat(SIGNED_JSON_LIMITS.bytesMax - frame);
  const payload = new TextEncoder().encode(prepareSignedJson({ ctr: 1, text }).finish(SIG));
  assert.equal(payload.length, SIGNED_JSON_LIMITS.bytesMax);
  assert.ok(!(parseSignedJson(payload) instanceof Refusal));
  assert.throws(() => prepareSignedJson({ ctr: 1, text: `${text}x` }), RangeError);
  assert.throws(() => prepareSignedJson({ ctr: 1, text: 'x'.repeat(70_000) }), RangeError);
});
