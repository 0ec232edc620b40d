/** Which network an address belongs to: what a stranger has to get another one of. @module */

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * The network of an IP address: an IPv4 address itself, and the first 64 bits of an IPv6 address,
 * because whoever has one IPv6 address has 2^64 of them. RFC 6177
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [front = '', back = ''] = address.split('::', 2);
  const groups = front.split(':').filter(Boolean);
  const backCount = back.split(':').filter(Boolean).length;
  while (groups.length < Math.min(NETWORK_GROUPS, GROUPS - backCount)) groups.push('0');
  const all = [...groups, ...back.split(':')];
  return `${all.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
