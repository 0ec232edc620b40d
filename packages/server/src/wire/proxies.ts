/** Which proxies are believed when they say whom a connection comes from. @module */
import { BlockList, isIP } from 'node:net';
import { Fault } from '../kernel/index.ts';

const PREFIX_MAX = { ipv4: 32, ipv6: 128 } as const;
const HERE = ['127.0.0.1', '::1'];

/** Addresses from which a connection has to begin with a PROXY header, which is then believed. */
export class Proxies {
  readonly #list = new BlockList();

  /**
   * @param networks - IP addresses, or networks such as `10.0.0.0/24`.
   * @throws Fault `E_WIRE_PROXY_FROM` for what is none, or names too many.
   */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const [address = '', prefix, ...others] = text.split('/');
      const family = familyOf(address);
      if (family === undefined || others.length > 0) throw noNetwork(text);
      const bits = prefix === undefined ? PREFIX_MAX[family] : prefixBits(prefix);
      if (bits < 1 || bits > PREFIX_MAX[family]) throw noNetwork(text);
      this.#list.addSubnet(address, bits, family);
      if (HERE.some((here) => this.has(here))) throw namesThisMachine(text);
    }
  }

  /** Whether an address, as a socket tells it, is that of a proxy. */
  has(address: string): boolean {
    const family = familyOf(address);
    return family !== undefined && this.#list.check(address, family);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
}

/** @returns 0, which is too few, for what is no number */
function prefixBits(text: string): number {
  return /^\d{1,3}$/u.test(text) ? Number(text) : 0;
}

function noNetwork(text: string): Fault {
  return new Fault({
    code: 'E_WIRE_PROXY_FROM',
    what: `"${text}" is no address or network of a proxy.`,
    fix: 'Name the proxy as the server sees it, such as --proxy-from 10.0.0.5 or 10.0.0.0/28.',
  });
}

/** The command line talks to the server from there, and sends no header. */
function namesThisMachine(text: string): Fault {
  return new Fault({
    code: 'E_WIRE_PROXY_FROM',
    what: `--proxy-from ${text} takes in 127.0.0.1 or ::1, from where the command line comes.`,
    fix: 'Give the proxy on this machine an address of its own (HAProxy: source 127.0.0.2).',
  });
}
