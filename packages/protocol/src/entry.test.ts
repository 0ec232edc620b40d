import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Entry,
  decodeEntry,
  encodeEntry,
  entryBytesMax,
  entryKindAt,
  writeEntry,
} from './entry.ts';

const text = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: 'binary', maxLength });

const entries: fc.Arbitrary<Required<Entry>> = fc.record(
  {
    kind: fc.constantFrom('message', 'act', 'refusal', 'event'),
    atMs: fc.maxSafeNat(),
    principal: text(300),
    topic: text(300),
    kid: text(60),
    body: fc.uint8Array({ maxLength: 2_000 }),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    expiryS: fc.option(fc.nat({ max: 2 ** 32 - 1 }), { nil: undefined }),
    properties: fc.uint8Array({ maxLength: 2_000 }),
  },
  { noNullPrototype: true },
);

const plain: Entry = {
  kind: 'message',
  atMs: 1_700_000_000_000,
  principal: 'pump-1',
  topic: 'd/pump-1/state',
  kid: '1.1',
  body: Buffer.from('{}'),
};

test('every entry comes back as it was written', () => {
  fc.assert(
    fc.property(entries, fc.nat({ max: 50 }), (entry, offset) => {
      const target = new Uint8Array(offset + entryBytesMax(entry));
      const end = writeEntry(target, offset, entry);
      assert.deepEqual(decodeEntry(target.subarray(offset, end)), entry);
    }),
  );
});

test('an entry has one encoding: bytes that decode are those that encoding gives', () => {
  const changed = fc
    .tuple(entries, fc.nat(), fc.nat({ max: 255 }), fc.nat())
    .map(([entry, at, byte, cut]) => {
      const bytes = encodeEntry(entry);
      bytes[at % Math.min(bytes.length, 64)] = byte;
      return cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes;
    });
  let decodedCount = 0;
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      const entry = decodeEntry(bytes);
      // What is beyond exact numbers can only come from a damaged time.
      if (entry === undefined || !Number.isSafeInteger(entry.atMs)) return;
      decodedCount += 1;
      assert.deepEqual(encodeEntry(entry), new Uint8Array(bytes));
    }),
    { numRuns: 2_000 },
  );
  assert.ok(decodedCount > 100, `only ${decodedCount} were entries`);
});

test('the kind alone is told exactly where an entry can be read, wherever it stands', () => {
  const changed = fc
    .tuple(entries, fc.nat(), fc.nat({ max: 255 }), fc.nat())
    .map(([entry, at, byte, cut]) => {
      const bytes = encodeEntry(entry);
      if (cut % 2 === 0) bytes[at % Math.min(bytes.length, 64)] = byte;
      return cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes;
    });
  const any = fc.oneof(changed, fc.uint8Array({ maxLength: 100 }));
  fc.assert(
    fc.property(any, fc.nat({ max: 20 }), (bytes, offset) => {
      const around = new Uint8Array(offset + bytes.length + 5).fill(0xff);
      around.set(bytes, offset);
      const kind = entryKindAt(around, offset, offset + bytes.length);
      assert.equal(kind, decodeEntry(bytes)?.kind);
    }),
    { numRuns: 2_000 },
  );
});

test('an entry that is cut anywhere before its body is none', () => {
  const entry = { ...plain, expiryS: 7, properties: Buffer.from('abc'), body: new Uint8Array(0) };
  const bytes = encodeEntry(entry);
  for (let end = 0; end < bytes.length; end += 1) {
    assert.equal(decodeEntry(bytes.subarray(0, end)), undefined, `${end} bytes`);
  }
  assert.notEqual(decodeEntry(bytes), undefined);
});

test('what is absent takes no bytes and comes back as its default', () => {
  const bytes = encodeEntry(plain);
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    `02000000018bcfe568000006${hex('pump-1')}000e${hex('d/pump-1/state')}03${hex('1.1')}7b7d`,
  );
  const defaults = { qos: 0, retain: false, expiryS: undefined, properties: new Uint8Array(0) };
  assert.deepEqual(decodeEntry(bytes), { ...plain, body: new Uint8Array(plain.body), ...defaults });
  assert.equal(encodeEntry({ ...plain, qos: 2, retain: true }).length, bytes.length);
  assert.equal(encodeEntry({ ...plain, expiryS: 0 }).length, bytes.length + 4);
  assert.equal(encodeEntry({ ...plain, properties: Buffer.from('ab') }).length, bytes.length + 6);
});

test('the whole layout of a message stands', () => {
  const entry: Entry = {
    ...plain,
    principal: 'p',
    topic: 't',
    qos: 2,
    retain: true,
    expiryS: 0x01_02_03_04,
    properties: Buffer.from('ab'),
  };
  assert.equal(
    Buffer.from(encodeEntry(entry)).toString('hex'),
    '02780000018bcfe5680000017000017403312e31010203040000000261627b7d',
  );
});

test('a byte order mark in a topic stays [MQTT-1.5.4-3]', () => {
  const topic = '\u{feff}d/x';
  assert.equal(decodeEntry(encodeEntry({ ...plain, topic }))?.topic, topic);
});

test('properties may be longer than 65,535 bytes: a packet has room for them', () => {
  const properties = new Uint8Array(69_600).fill(7);
  assert.deepEqual(decodeEntry(encodeEntry({ ...plain, properties }))?.properties, properties);
});

test('what has no encoding is refused at both sides of its bound', () => {
  for (const expiryS of [0, 2 ** 32 - 1]) {
    assert.equal(decodeEntry(encodeEntry({ ...plain, expiryS }))?.expiryS, expiryS);
  }
  for (const expiryS of [-1, 2 ** 32, 0.5]) {
    assert.throws(() => encodeEntry({ ...plain, expiryS }), RangeError);
  }
  assert.notEqual(decodeEntry(encodeEntry({ ...plain, kid: 'k'.repeat(255) })), undefined);
  assert.throws(() => encodeEntry({ ...plain, kid: 'k'.repeat(256) }), RangeError);
  assert.notEqual(decodeEntry(encodeEntry({ ...plain, topic: 't'.repeat(65_535) })), undefined);
  assert.throws(() => encodeEntry({ ...plain, topic: 't'.repeat(65_536) }), RangeError);
});

test('an entry of the former format is none', () => {
  const bytes = encodeEntry(plain);
  bytes[0] = 1;
  assert.equal(decodeEntry(bytes), undefined);
});

function hex(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('hex');
}
