import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Refusal } from '../refusal.ts';
import { anyText, signableObject } from './arbitraries.ts';
import { canonicalJson } from './canonical-json.ts';
import { SIGNED_JSON_LIMITS } from './limits.ts';
import { prepareSignedJson } from './prepare-signed-json.ts';
import { meaningOf } from './strict-reader.testing.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function codeOf(json: string | Uint8Array): string {
  const result = canonicalJson(json);
  return result instanceof Refusal ? result.code : result;
}

function detailOf(json: string | Uint8Array): string {
  const result = canonicalJson(json);
  assert.ok(result instanceof Refusal);
  assert.equal(result.code, 'E_VERIFY_JSON');
  return result.detail;
}

test('keeps every number as it is written', () => {
  const numbers = '23.0, 1e-07, 1e+16, -0.0, -0, 0, 1E5, 1.50, 9007199254740993, 1e400, 0e-0';
  assert.equal(canonicalJson(`[${numbers}]`), `[${numbers}]`);
  const long = '9'.repeat(5000);
  assert.equal(canonicalJson(long), long);
});

test('puts blanks where Python puts them, and nowhere else', () => {
  const json = ' \t\r\n{ "b" :[ 1 ,\n2,[ ] ], "a":{ } ,"c": null\t} ';
  assert.equal(canonicalJson(json), '{"a": {}, "b": [1, 2, []], "c": null}');
  assert.equal(canonicalJson('\t"text"\n'), '"text"');
  assert.equal(canonicalJson('true'), 'true');
  assert.equal(canonicalJson('[false,null]'), '[false, null]');
});

test('escapes as ensure_ascii does', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['\\/ / \\u002f', '/ / /'],
    ['\\u0022 \\u005C \\"\\\\', '\\" \\\\ \\"\\\\'],
    ['\\b\\f\\n\\r\\t \\u0008\\u000C\\u000a', '\\b\\f\\n\\r\\t \\b\\f\\n'],
    ['\\u0000\\u001F~\u007f\\u007F', '\\u0000\\u001f~\\u007f\\u007f'],
    ['\u0080\u07ff\u0800\uffff', '\\u0080\\u07ff\\u0800\\uffff'],
    ['\u{10000}\u{1f600}\u{10ffff}', '\\ud800\\udc00\\ud83d\\ude00\\udbff\\udfff'],
    ['\\uD83D\\uDE00 \\uDE00\\uD83D', '\\ud83d\\ude00 \\ude00\\ud83d'],
    ['\\u0041\\u00e9', 'A\\u00e9'],
  ];
  for (const [raw, escaped] of cases) assert.equal(canonicalJson(`"${raw}"`), `"${escaped}"`);
});

test('sorts keys by code point at every level, after unescaping', () => {
  assert.equal(
    canonicalJson('[{"\u{1f600}":1,"\uffff":2,"b":{"z":1,"\\u0061":2},"":3,"aa":4,"a":5}]'),
    '[{"": 3, "a": 5, "aa": 4, "b": {"a": 2, "z": 1}, "\\uffff": 2, "\\ud83d\\ude00": 1}]',
  );
  assert.equal(
    canonicalJson('{"\\ud83d\\ude01":1,"\\ud83d\\ude00":2,"\\ud83d":3,"\\ude00":4,"\\ud83dx":5}'),
    '{"\\ud83d": 3, "\\ud83dx": 5, "\\ude00": 4, "\\ud83d\\ude00": 2, "\\ud83d\\ude01": 1}',
  );
  // A backslash is 0x5c in the text, but its escapes stand for 0x0a, 0x22 and 0x5c.
  assert.equal(
    canonicalJson('{"]":1,"[":2,"\\\\":3,"\\"":4,"!":5,"#":6,"\\n":7}'),
    '{"\\n": 7, "!": 5, "\\"": 4, "#": 6, "[": 2, "\\\\": 3, "]": 1}',
  );
});

test('treats "sig" and "__proto__" as keys like all others', () => {
  const json = '{"sig": {"__proto__": 1}, "__proto__": [], "constructor": 2}';
  assert.equal(canonicalJson(json), '{"__proto__": [], "constructor": 2, "sig": {"__proto__": 1}}');
});

test('refuses a key that stands twice, at any level and however escaped [E_VERIFY_DUPLICATE_KEY]', () => {
  const texts = [
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"\\u0061":3}',
    '[{"x":{"\u00e9":1,"a":1,"\\u00E9":2}}]',
    '{"\\ud83d\\ude00":1,"\u{1f600}":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ];
  for (const text of texts) assert.equal(codeOf(text), 'E_VERIFY_DUPLICATE_KEY', text);
  const result = canonicalJson(`{"k\n":1,"k\n":2}`.replaceAll('\n', '\\n'));
  assert.ok(result instanceof Refusal);
  assert.equal(result.detail, 'The key "k\\n" stands twice in one object.');
});

test('refuses what is no JSON [E_VERIFY_JSON] [RFC 8259]', () => {
  const texts = [
    ['', ' ', '{', '[', '"', '"\\', '"\\u00', '{"a"', '{"a":', '{"a":1', '{"a":1,', '[1,', '[1'],
    ['{,}', '{"a":1,}', '[,]', '[1,]', '[1 2]', '{"a" 1}', '{"a":1 "b":2}', '{a:1}', "{'a':1}"],
    ['{1:2}', '{null:1}', '{"a":1]', '[1}', '{}}', '[]]', '1 2', '{} x', '{}\u0000', '\u0000{}'],
    ['01', '-01', '-', '+1', '.5', '1.', '1.e5', '1e', '1e+', '1e-', '--1', '0x10', '1_0', '1,0'],
    ['"\\x41"', '"\\u12"', '"\\u12g4"', '"\\U0041"', '"\\\'"', '"\\a"', '"\\0"', '"\\u 123"'],
    ['tru', 'True', 'nul', 'None', 'undefined', 'truex', '// x\n{}', '{}/**/', '\u00a0{}'],
    ['\u000b{}', '\u000c{}', '\u2028{}'],
  ].flat();
  for (const text of texts) assert.equal(codeOf(text), 'E_VERIFY_JSON', JSON.stringify(text));
  for (let unit = 0; unit < 0x20; unit++) {
    assert.equal(codeOf(`"${String.fromCharCode(unit)}"`), 'E_VERIFY_JSON', `control ${unit}`);
  }
});

test('names NaN, Infinity and -Infinity, which Python prints [E_VERIFY_JSON]', () => {
  assert.equal(detailOf('[NaN]'), 'Byte 1: NaN is no JSON; send null instead.');
  assert.equal(detailOf('{"a":Infinity}'), 'Byte 5: Infinity is no JSON; send null instead.');
  assert.equal(detailOf('[1,-Infinity]'), 'Byte 3: -Infinity is no JSON; send null instead.');
});

test('says where and what is wrong', () => {
  assert.equal(detailOf('{"a" 1}'), 'Byte 5 should be ":", but is 0x31.');
  assert.equal(detailOf('[1'), 'Byte 2 should be "," or "]", but is the end.');
  assert.equal(
    detailOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)),
    'The text starts with a byte order mark.',
  );
});

test('refuses text that is no UTF-8 [E_VERIFY_JSON] [RFC 3629 §3]', () => {
  const sequences = [
    ['80', 'bf', 'c080', 'c1bf', 'e09fbf', 'f08fbfbf', 'eda080', 'edbfbf', 'f4908080', 'f5808080'],
    [
      'f8908080',
      'f888808080',
      'fe',
      'ff',
      'c3',
      'e282',
      'f09f98',
      'c328',
      'e228a1',
      'e282c0',
      'f09f9828',
    ],
  ].flat();
  for (const sequence of sequences) {
    const bytes = Uint8Array.fromHex(`22${sequence}22`);
    assert.match(detailOf(bytes), /^Byte 1 starts no character of UTF-8\.$/, bytes.toHex());
    assert.equal(codeOf(bytes.subarray(0, -1)), 'E_VERIFY_JSON');
  }
  for (const codePoint of [0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]) {
    const json = JSON.stringify(String.fromCodePoint(codePoint));
    assert.equal(JSON.parse(codeOf(json)), JSON.parse(json));
  }
});

test('refuses a string with a lone surrogate, which UTF-8 cannot carry [E_VERIFY_JSON]', () => {
  assert.match(detailOf('"\ud800"'), /lone surrogate/);
  assert.equal(codeOf('"\\ud800"'), '"\\ud800"');
});

test('limits size and depth [E_VERIFY_SIZE] [E_VERIFY_DEPTH]', () => {
  assert.equal(codeOf(`"${'a'.repeat(65_533)}"`).length, 65_535);
  assert.equal(codeOf(`"${'a'.repeat(65_534)}"`).length, 65_536);
  assert.equal(codeOf(`"${'a'.repeat(65_535)}"`), 'E_VERIFY_SIZE');
  assert.equal(codeOf(`"${'é'.repeat(32_768)}"`), 'E_VERIFY_SIZE');
  for (const [open, close] of [
    ['[', ']'],
    ['{"a": ', '}'],
  ] as const) {
    const nested = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
    assert.equal(codeOf(nested(31)), nested(31));
    assert.equal(codeOf(nested(32)), nested(32));
    assert.equal(codeOf(nested(33)), 'E_VERIFY_DEPTH');
  }
  assert.equal(codeOf('['.repeat(65_536)), 'E_VERIFY_DEPTH');
  assert.equal(codeOf(`[${'[],'.repeat(20_000)}[]]`).length, 80_004);
});

test('holds what grows most: raw DEL in members that must be sorted', () => {
  const del = '\u007f';
  const escape = '\\u007f';
  const count = SIGNED_JSON_LIMITS.bytesMax - '{"b":"","a":""}'.length;
  const canonical = canonicalJson(encode(`{"b":"${del.repeat(count)}","a":""}`));
  assert.equal(canonical, `{"a": "", "b": "${escape.repeat(count)}"}`);
  const nested = canonicalJson(`{"${del}b":{"${del}b":[],"${del}a":[]},"${del}a":[]}`);
  const key = `"${escape}`;
  assert.equal(nested, `{${key}a": [], ${key}b": {${key}a": [], ${key}b": []}}`);
});

test('sorts many keys, and finds the one that stands twice among them', () => {
  const keys = Array.from({ length: 8000 }, (_, i) => ((i * 7919) % 8000) + 10_000);
  const members = keys.map((key) => `"${key}":1`);
  const sorted = keys.toSorted((a, b) => a - b).map((key) => `"${key}": 1`);
  const limits = { bytesMax: 100_000, depthMax: 1, timeBytesMax: 64 };
  assert.equal(canonicalJson(`{${members.join()}}`, limits), `{${sorted.join(', ')}}`);
  const twice = canonicalJson(`{${members.join()},"14000":2}`, limits);
  assert.ok(twice instanceof Refusal && twice.code === 'E_VERIFY_DUPLICATE_KEY');
});

test('accepts exactly what a strict reader accepts, and keeps its meaning', () => {
  // Texts one or two bytes away from valid ones; JSON.parse behind a strict decoder is the oracle.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const edit = fc.record({
    at: fc.nat(),
    removed: fc.nat({ max: 2 }),
    inserted: fc.oneof(
      fc.uint8Array({ maxLength: 2 }),
      fc.constantFrom(...'{}[]",:\\0-.eE+ \n/ut'.split('').map(encode)),
    ),
  });
  const json = fc
    .tuple(signableObject, fc.nat({ max: 2 }))
    .map(([object, indent]) =>
      JSON.stringify(
        object,
        (_, value) => (typeof value === 'bigint' ? String(value) : value),
        indent,
      ),
    );
  let acceptedCount = 0;
  fc.assert(
    fc.property(json, fc.array(edit, { maxLength: 2 }), (json, edits) => {
      const bytes = [...encode(json)];
      for (const { at, removed, inserted } of edits) {
        bytes.splice(at % (bytes.length + 1), removed, ...inserted);
      }
      const input = Uint8Array.from(bytes);
      const result = canonicalJson(input);
      let text: string;
      try {
        text = decoder.decode(input);
        JSON.parse(text);
      } catch {
        // Two objects that a removed brace joins may have a key in common before the text goes wrong.
        assert.ok(result instanceof Refusal, json);
        assert.match(result.code, /^E_VERIFY_(JSON|DUPLICATE_KEY)$/);
        return;
      }
      if (result instanceof Refusal) {
        assert.equal(result.code, 'E_VERIFY_DUPLICATE_KEY');
        return;
      }
      acceptedCount += 1;
      assert.match(result, /^[ -~]*$/);
      assert.deepEqual(meaningOf(result), meaningOf(text));
      assert.equal(canonicalJson(result), result, 'what is canonical stays as it is');
    }),
    { numRuns: 2000 },
  );
  assert.ok(acceptedCount > 200);
});

test('gives one text, however the members are ordered and the text is laid out', () => {
  const layout = fc.record({ isReversed: fc.boolean(), indent: fc.nat({ max: 3 }) });
  fc.assert(
    fc.property(fc.dictionary(anyText, anyText), layout, (object, { isReversed, indent }) => {
      const entries = Object.entries(object);
      const other = Object.fromEntries(isReversed ? entries.toReversed() : entries);
      const canonical = canonicalJson(JSON.stringify(object));
      assert.equal(canonicalJson(JSON.stringify(other, null, indent)), canonical);
      if (!Object.hasOwn(object, 'sig')) {
        const { signedBytes } = prepareSignedJson(other);
        assert.equal(new TextDecoder().decode(signedBytes), canonical);
      }
    }),
  );
});
