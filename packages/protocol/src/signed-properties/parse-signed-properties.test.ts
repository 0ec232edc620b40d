import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { UserProperty } from '../mqtt/packets.ts';
import { Refusal } from '../refusal.ts';
import { isSignedByProperties, parseSignedProperties } from './parse-signed-properties.ts';

const SIG = '0123456789abcdef'.repeat(4);

/** Signature properties in which some have another value; undefined leaves one out. */
function properties(changes: Readonly<Record<string, string | undefined>> = {}): UserProperty[] {
  const all = { sig: SIG, kid: '1.1', ctr: '7', ts: '1795000000000', ...changes };
  return Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
}

function codeOf(userProperties: readonly UserProperty[]): string {
  const parsed = parseSignedProperties({ userProperties });
  return parsed instanceof Refusal ? parsed.code : 'accepted';
}

test('the four properties are read, among others and in any order', () => {
  const expected = { signature: SIG, kid: '1.1', counter: 7, timeMs: 1_795_000_000_000 };
  const userProperties: UserProperty[] = [['unit', 'K'], ...properties().reverse(), ['unit', 'K']];
  assert.deepEqual(parseSignedProperties({ userProperties }), expected);
  assert.deepEqual(parseSignedProperties({ userProperties: properties({ ts: undefined }) }), {
    ...expected,
    timeMs: undefined,
  });
});

test('a message with a property "sig" is of form 2, and no other', () => {
  assert.equal(isSignedByProperties({}), false);
  assert.equal(isSignedByProperties({ userProperties: properties({ sig: undefined }) }), false);
  assert.equal(isSignedByProperties({ userProperties: [['Sig', SIG]] }), false);
  assert.equal(isSignedByProperties({ userProperties: properties() }), true);
  assert.equal(isSignedByProperties({ userProperties: [['sig', '']] }), true);
});

test('each property stands there once [E_VERIFY_DUPLICATE_KEY]', () => {
  for (const [name, value] of properties()) {
    assert.equal(codeOf([...properties(), [name, value]]), 'E_VERIFY_DUPLICATE_KEY', name);
  }
});

test('what is missing or has another form is refused', () => {
  const cases: [code: string, changes: Record<string, string | undefined>][] = [
    ['E_VERIFY_SIG_MISSING', { sig: undefined }],
    ['E_VERIFY_SIG_FORM', { sig: SIG.slice(1) }],
    ['E_VERIFY_SIG_FORM', { sig: `${SIG}0` }],
    ['E_VERIFY_SIG_FORM', { sig: SIG.toUpperCase() }],
    ['E_VERIFY_SIG_FORM', { sig: `${SIG}\n` }],
    ['E_VERIFY_KID', { kid: undefined }],
    ['E_VERIFY_COUNTER_MISSING', { ctr: undefined }],
  ];
  for (const [code, changes] of cases) assert.equal(codeOf(properties(changes)), code, code);
});

test('numbers are digits from 0 to 2^53 - 1, in one way only', () => {
  for (const good of ['0', '1', '10', '9007199254740991']) {
    assert.equal(codeOf(properties({ ctr: good, ts: good })), 'accepted', good);
  }
  const bad = [
    '',
    '00',
    '01',
    '+1',
    '-1',
    '-0',
    '1.0',
    '1e3',
    ' 1',
    '1 ',
    '0x1',
    '1\n',
    '١',
    '1_0',
  ];
  for (const text of [...bad, '9007199254740992', '10000000000000000', '9'.repeat(400)]) {
    assert.equal(codeOf(properties({ ctr: text })), 'E_VERIFY_COUNTER_FORM', text);
    assert.equal(codeOf(properties({ ts: text })), 'E_VERIFY_TIME_FORM', text);
  }
});

test('whatever the properties are, a number that is read is the text that was sent', () => {
  const text = fc.oneof(fc.string(), fc.maxSafeNat().map(String), fc.bigInt().map(String));
  fc.assert(
    fc.property(text, text, (ctr, ts) => {
      const parsed = parseSignedProperties({ userProperties: properties({ ctr, ts }) });
      if (parsed instanceof Refusal) return;
      assert.deepEqual([`${parsed.counter}`, `${parsed.timeMs}`], [ctr, ts]);
    }),
  );
});
