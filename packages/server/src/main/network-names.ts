/** Under which names and addresses the server is reached, and where it listens. @module */
import { isIP } from 'node:net';

/** Names for the certificate, addresses to bind, and the name to print. */
export interface NetworkNames {
  /** DNS names and IP addresses that the server certificate is for. */
  readonly certificateNames: readonly string[];
  /** Addresses to listen on. */
  readonly addresses: readonly string[];
  /** What stands in URLs and claims. */
  readonly publicName: string;
  /** Whether others than this machine can use that name. */
  readonly isPublic: boolean;
}

/** Whether a host name, as URLs have it, is one of these or of the public certificate. */
export function isOwnName(
  hostname: string,
  { names, acme }: { names: NetworkNames; acme: { readonly domain: string } | undefined },
): boolean {
  const name = hostname.replace(/^\[(.*)\]$/u, '$1');
  return name === acme?.domain || names.certificateNames.includes(name);
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];

/**
 * Without names the server is for this machine only. With names it listens on all interfaces, and
 * its certificate is valid for the names and for this machine.
 */
export function networkNames(hosts: readonly string[]): NetworkNames {
  const [first] = hosts;
  if (first === undefined) {
    return {
      certificateNames: LOCAL_NAMES,
      addresses: ['127.0.0.1', '::1'],
      publicName: 'localhost',
      isPublic: false,
    };
  }
  return {
    certificateNames: [...new Set([...hosts, ...LOCAL_NAMES])],
    addresses: ['0.0.0.0', '::'],
    publicName: isIP(first) === 6 ? `[${first}]` : first,
    isPublic: true,
  };
}
