/** What an arrival hands on to TLS, however its first bytes are cut. */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import type { Refusal } from '@holdfast/protocol';
import { Arrival } from './arrival.ts';
import { proxyHeader, tlv } from './proxy-header.testing.ts';
import type { ProxyHeader } from './proxy-header.ts';

const HELLO = Buffer.from('160301000400112233', 'hex');

/** An arrival whose bytes come from the test; gives what was told, and what TLS would read. */
function arrive({ isFromProxy }: { isFromProxy: boolean }) {
  const raw = new Socket();
  const headers: (ProxyHeader | Refusal)[] = [];
  const told: string[] = [];
  const arrival = new Arrival(raw, {
    address: '192.0.2.1',
    isFromProxy,
    door: 'broker',
    acceptedAtMs: 0,
    startTls: () => void told.push('TLS'),
    events: {
      onHeader: (from, header) => {
        headers.push(header);
        from.origin = 'client';
      },
      onHello: () => void told.push('hello'),
      onNonsense: (_, what) => void told.push(what),
      onGiveUp: (_, why) => void told.push(why),
      onClose: () => void told.push('close'),
    },
  });
  arrival.read();
  const hear = (chunk: Buffer): boolean => raw.emit('data', chunk);
  const readByTls = (): string => {
    arrival.start();
    const bytes = raw.read() as Buffer;
    raw.destroy();
    return bytes.toString('hex');
  };
  return { arrival, hear, headers, told, readByTls };
}

const CLIENT = '192.0.2.33';
const HEADER = proxyHeader({ client: CLIENT, tlvs: tlv(0x02, Buffer.from('iot.example.org')) });

test('header and ClientHello are told apart wherever they are cut', () => {
  const bytes = Buffer.concat([HEADER, HELLO]);
  for (let at = 1; at < bytes.length; at += 1) {
    const { hear, headers, told, readByTls } = arrive({ isFromProxy: true });
    hear(bytes.subarray(0, at));
    hear(bytes.subarray(at));
    assert.deepEqual(headers, [{ byteCount: HEADER.length, client: CLIENT }], `cut at ${at}`);
    assert.deepEqual(told, ['hello']);
    assert.equal(readByTls(), HELLO.toString('hex'));
    assert.deepEqual(told, ['hello', 'TLS']);
  }
});

test('byte by byte', () => {
  const { arrival, hear, headers, told, readByTls } = arrive({ isFromProxy: true });
  for (const [at, byte] of Buffer.concat([HEADER, HELLO]).entries()) {
    assert.equal(arrival.hasPartOfHeader, at > 0 && at < HEADER.length, `before byte ${at}`);
    hear(Buffer.from([byte]));
  }
  assert.equal(headers.length, 1);
  assert.deepEqual(told, ['hello']);
  assert.equal(readByTls(), HELLO.toString('hex'));
});

test('there is one header: a second one is no TLS', () => {
  const { hear, headers, told } = arrive({ isFromProxy: true });
  hear(Buffer.concat([HEADER, HEADER]));
  assert.equal(headers.length, 1);
  assert.match(told.join(), /^a PROXY header, from an address that is not named/u);
});

test('from nobody but a proxy is it read at all', () => {
  const { hear, headers, told } = arrive({ isFromProxy: false });
  hear(Buffer.concat([HEADER, HELLO]));
  assert.deepEqual(headers, []);
  assert.match(told.join(), /^a PROXY header, from an address that is not named/u);
});
