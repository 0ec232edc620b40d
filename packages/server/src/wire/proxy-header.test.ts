/** The header of the PROXY protocol: what is read, what is refused, and as of which byte. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { PROXY_HEADER_BYTES_MAX } from './limits.ts';
import { proxyHeader, tlv } from './proxy-header.testing.ts';
import { beginsProxyHeader, parseProxyHeader } from './proxy-header.ts';

function clientOf(bytes: Buffer): string | undefined {
  const header = parseProxyHeader(bytes);
  assert.ok(header !== undefined && !(header instanceof Refusal), JSON.stringify(header));
  assert.equal(header.byteCount, bytes.length);
  return header.client;
}

function assertRefused(bytes: Buffer, detail: RegExp): void {
  const refusal = parseProxyHeader(bytes);
  assert.ok(refusal instanceof Refusal, JSON.stringify(refusal));
  assert.equal(refusal.code, 'E_WIRE_PROXY');
  assert.match(refusal.detail ?? '', detail);
}

test('a header as HAProxy sends it for a client', () => {
  const ipv4 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000221c6336407d43101bb', 'hex');
  assert.deepEqual(parseProxyHeader(ipv4), { byteCount: 28, client: '192.0.2.33' });
  const ipv6 =
    '0d0a0d0a000d0a515549540a2121002420010db800000000000000000000002120010db8000000000000000000000007d43101bb';
  const header = parseProxyHeader(Buffer.from(ipv6, 'hex'));
  assert.deepEqual(header, { byteCount: 52, client: '2001:db8::21' });
});

test('an IPv6 address has the form that sockets tell, an IPv4 one within it its own', () => {
  const forms = {
    '2001:db8:0:0:0:0:0:1': '2001:db8::1',
    '2001:0db8:0000:0001:0000:0000:0000:0001': '2001:db8:0:1::1',
    '0:0:0:0:0:0:0:1': '::1',
    '0:0:0:0:0:ffff:c000:221': '192.0.2.33',
  };
  for (const [client, text] of Object.entries(forms)) {
    assert.equal(clientOf(proxyHeader({ client })), text);
  }
});

test('where the proxy speaks for itself, nothing of the rest is believed', () => {
  const client = '192.0.2.33';
  const local = { versionAndCommand: 0x20 };
  const rest = { addresses: Buffer.from('00ff', 'hex') };
  const headers = [
    proxyHeader(),
    proxyHeader({ ...local, client }),
    proxyHeader({ ...local, family: 0xff, ...rest }),
    ...[0x00, 0x01, 0x02].map((family) => proxyHeader({ client, family })),
    proxyHeader({ versionAndCommand: 0x21, family: 0, ...rest }),
  ];
  for (const header of headers) assert.equal(clientOf(header), undefined, header.toString('hex'));
});

test('version, command and family are those that are known, and no other', () => {
  const client = '192.0.2.33';
  for (let versionAndCommand = 0; versionAndCommand < 256; versionAndCommand += 1) {
    const bytes = proxyHeader({ client, versionAndCommand });
    if (versionAndCommand === 0x20 || versionAndCommand === 0x21) clientOf(bytes);
    else assertRefused(bytes, versionAndCommand >> 4 === 2 ? /its command/u : /its version/u);
  }
  const addresses = Buffer.alloc(216, 1);
  for (let family = 0; family < 256; family += 1) {
    const bytes = proxyHeader({ versionAndCommand: 0x21, family, addresses });
    // These are read; that 216 bytes are more than addresses is for the next test.
    const isKnown = family <= 0x02 || family === 0x11 || family === 0x21;
    if (!isKnown) assertRefused(bytes, /its family is 0x[0-9a-f]{2}, no TCP over IP/u);
    else if (family <= 0x02) assert.equal(clientOf(bytes), undefined);
  }
});

test('both sides of each length', () => {
  const client = '192.0.2.33';
  for (const [family, bytes] of [
    [0x11, 12],
    [0x21, 36],
  ] as const) {
    const header = { versionAndCommand: 0x21, family };
    clientOf(proxyHeader({ ...header, addresses: Buffer.alloc(bytes, 1) }));
    const short = proxyHeader({ ...header, addresses: Buffer.alloc(bytes - 1, 1) });
    assertRefused(short, /its addresses have/u);
  }
  const room = PROXY_HEADER_BYTES_MAX - 28;
  clientOf(proxyHeader({ client, tlvs: tlv(0x04, Buffer.alloc(room - 3)) }));
  const long = proxyHeader({ client, tlvs: tlv(0x04, Buffer.alloc(room - 2)) });
  assertRefused(long, /it has 1441 bytes/u);
  assertRefused(long.subarray(0, 16), /it has 1441 bytes/u);
  assert.equal(parseProxyHeader(long.subarray(0, 15)), undefined);
});

test('additions are passed over, and have to end where the header does', () => {
  const client = '192.0.2.33';
  const tlvs = [tlv(0x02, Buffer.from('iot.example.org')), tlv(0x04, Buffer.alloc(0))];
  assert.equal(clientOf(proxyHeader({ client, tlvs: Buffer.concat(tlvs) })), client);
  const one = tlv(0xe0, Buffer.alloc(4));
  for (let end = 1; end < one.length; end += 1) {
    assertRefused(proxyHeader({ client, tlvs: one.subarray(0, end) }), /ends within a TLV/u);
  }
  for (const byte of [0, 1, 2]) {
    const tail = Buffer.concat([one, Buffer.alloc(byte)]);
    if (byte === 0) clientOf(proxyHeader({ client, tlvs: tail }));
    else assertRefused(proxyHeader({ client, tlvs: tail }), /ends within a TLV/u);
  }
});

test('what is there in its place is told', () => {
  assertRefused(Buffer.from('160301020001', 'hex'), /TLS begins without it/u);
  assertRefused(Buffer.from('PROXY TCP4 192.0.2.33 192.0.2.7 1 2\r\n'), /of version 1/u);
  assertRefused(Buffer.from('GET / HTTP/1.1\r\n'), /something else/u);
  assertRefused(Buffer.from('0d0a0d0a000d0a515549540b', 'hex'), /something else/u);
});

const anyHeader = fc
  .record({
    client: fc.oneof(
      fc.ipV4(),
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
        .map((groups) => groups.map((group) => group.toString(16)).join(':')),
    ),
    tlvs: fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 60 })), {
      maxLength: 5,
    }),
  })
  .map(({ client, tlvs }) => ({
    client,
    bytes: proxyHeader({
      client,
      tlvs: Buffer.concat(tlvs.map(([type, value]) => tlv(type, value))),
    }),
  }));

test('a header that is cut anywhere is unfinished, and what follows it is not touched', () => {
  fc.assert(
    fc.property(anyHeader, fc.uint8Array({ maxLength: 40 }), ({ client, bytes }, rest) => {
      for (let end = 0; end < bytes.length; end += 1) {
        assert.equal(parseProxyHeader(bytes.subarray(0, end)), undefined, `cut at ${end}`);
      }
      const header = parseProxyHeader(Buffer.concat([bytes, rest]));
      assert.ok(header !== undefined && !(header instanceof Refusal));
      assert.equal(header.byteCount, bytes.length);
      assert.notEqual(isIP(header.client ?? ''), 0);
      if (isIP(client) === 4) assert.equal(header.client, client);
    }),
    { numRuns: 200 },
  );
});

test('a changed byte never makes it throw, or read beyond its end', () => {
  const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(anyHeader, fc.array(change, { minLength: 1, maxLength: 4 }), (header, changes) => {
      const bytes = Buffer.from(header.bytes);
      for (const { at, to } of changes) bytes[at % bytes.length] = to;
      const parsed = parseProxyHeader(bytes);
      if (parsed === undefined || parsed instanceof Refusal) return;
      assert.ok(beginsProxyHeader(bytes));
      assert.ok(parsed.byteCount <= bytes.length);
      assert.ok(parsed.client === undefined || isIP(parsed.client) !== 0);
    }),
    { numRuns: 2_000 },
  );
});

test('any bytes give a verdict, at once where they do not begin as a header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      const verdict = parseProxyHeader(Buffer.from(bytes));
      if (bytes[0] !== 0x0d) assert.ok(verdict instanceof Refusal);
    }),
    { numRuns: 1_000 },
  );
});
