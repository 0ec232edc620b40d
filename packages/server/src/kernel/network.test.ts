import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkOf } from './network.ts';

test('an IPv4 address is its own network', () => {
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
  assert.equal(networkOf(''), '');
});

test('an IPv6 network is 64 bits, wherever its zeros are left out', () => {
  const cases = {
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2::': '2001:db8:1:2::/64',
    '2001:db8:1:2::6': '2001:db8:1:2::/64',
    '2001:db8::6': '2001:db8:0:0::/64',
    '2001:db8::3:4:5:6': '2001:db8:0:0::/64',
    '2001::2:3:4:5:6': '2001:0:0:2::/64',
    '1::2:3:4:5:6:7': '1:0:2:3::/64',
    '::2:3:4:5:6:7:8': '0:2:3:4::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
  };
  for (const [address, network] of Object.entries(cases)) {
    assert.equal(networkOf(address), network, address);
  }
});
