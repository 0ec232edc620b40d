/** Which addresses an operator may name as proxies, and which connections they take in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../kernel/index.ts';
import { Proxies } from './proxies.ts';

test('an address is itself, a network is all its addresses, of either family', () => {
  const proxies = new Proxies(['10.0.0.5', '192.0.2.16/28', '2001:db8::5', '2001:db8:1::/48']);
  for (const inside of [
    '10.0.0.5',
    '192.0.2.16',
    '192.0.2.31',
    '2001:db8::5',
    '2001:db8:1:ffff::1',
  ]) {
    assert.ok(proxies.has(inside), inside);
  }
  for (const outside of [
    '10.0.0.4',
    '10.0.0.6',
    '192.0.2.15',
    '192.0.2.32',
    '2001:db8::6',
    '2001:db8:2::1',
    '127.0.0.1',
    '::1',
    '',
    'proxy.example.org',
  ]) {
    assert.ok(!proxies.has(outside), outside);
  }
});

test('the widest and the narrowest network', () => {
  for (const text of ['0.0.0.0/1', '10.0.0.5/32', '8000::/1', '2001:db8::5/128']) {
    // Half of all addresses takes in this machine.
    if (text === '0.0.0.0/1') assertNoNetwork(text, /takes in 127\.0\.0\.1/u);
    else assert.ok(new Proxies([text]));
  }
  for (const text of ['128.0.0.0/0', '10.0.0.5/33', '8000::/0', '2001:db8::5/129']) {
    assertNoNetwork(text, /no address or network/u);
  }
});

test('what is no address, or that of this machine, stops the start', () => {
  for (const text of ['', 'proxy', '10.0.0', '10.0.0.5/', '10.0.0.5/x', '10.0.0.5/8/8', '/8']) {
    assertNoNetwork(text, /no address or network/u);
  }
  for (const text of ['127.0.0.1', '127.0.0.0/8', '::1', '::/64', '::ffff:127.0.0.1']) {
    assertNoNetwork(text, /from where the command line comes/u);
  }
  assert.ok(new Proxies(['127.0.0.2']).has('127.0.0.2'));
});

function assertNoNetwork(text: string, what: RegExp): void {
  assert.throws(
    () => new Proxies([text]),
    (error) => {
      assert.ok(error instanceof Fault, text);
      assert.equal(error.code, 'E_WIRE_PROXY_FROM');
      assert.match(error.message, what);
      return true;
    },
  );
}
