/** The options of `up` for a certificate that browsers trust. @module */
import { isIP } from 'node:net';
import type { StartOptions } from '@holdfast/server';
import type { OptionSet, Values } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { readSecret } from '../secret-source.ts';
import { readText } from '../text-source.ts';
import type { World } from '../world.ts';

export const ACME_OPTIONS = {
  'acme-domain': {
    type: 'string',
    value: 'NAME',
    help: 'name of the API for browsers, with a certificate by ACME; port 443 leads here',
  },
  'acme-agree-terms': { type: 'boolean', help: 'you have read and agree to the terms of ACME' },
  'acme-email': { type: 'string', value: 'ADDRESS', help: 'where the authority writes to' },
  'acme-directory': {
    type: 'string',
    value: 'URL',
    help: "directory of the authority (default Let's Encrypt)",
  },
  'acme-ca': { type: 'string', value: 'FILE', help: 'trust anchor of an authority of your own' },
  'acme-eab-file': {
    type: 'string',
    value: 'FILE',
    help: 'external account binding, JSON: {"kid", "hmacKey"}',
  },
} as const satisfies OptionSet;

/**
 * Reads these options; undefined when there are none.
 * @param hosts - the names that the server's own certificate has.
 * @throws Failure `E_CLI_USAGE`, `E_CLI_FILE`
 */
export async function acmeOf(
  world: World,
  values: Values<typeof ACME_OPTIONS>,
  hosts: readonly string[],
): Promise<StartOptions['acme']> {
  const domain = values['acme-domain']?.toLowerCase();
  if (domain === undefined) {
    const lonely = Object.keys(values).find((name) => name.startsWith('acme-'));
    if (lonely === undefined) return undefined;
    throw usageFailure(`--${lonely} is for --acme-domain.`, 'Give --acme-domain NAME as well.');
  }
  if (domain.length > 253 || isIP(domain) !== 0 || !DNS_NAME.test(domain)) {
    throw usageFailure(`"${domain}" is no DNS name.`, 'Such as --acme-domain iot.example.com.');
  }
  if (!hosts.some((host) => host.toLowerCase() === domain)) {
    throw usageFailure(
      `--acme-domain ${domain} is not among the names of --host.`,
      `Give --host ${domain} too: it counts when the certificate by ACME has ended.`,
    );
  }
  if (hosts[0]?.toLowerCase() === domain) {
    throw usageFailure(
      'The first --host is for devices, apps and the command line; they trust our authority only.',
      `Give another name or the address first: --host 192.0.2.10 --host ${domain}.`,
    );
  }
  const [ca, file] = [values['acme-ca'], values['acme-eab-file']];
  return {
    domain,
    directoryUrl: directoryOf(values['acme-directory'] ?? LETS_ENCRYPT),
    directoryAnchorPem: ca === undefined ? undefined : readText(ca),
    email: values['acme-email'],
    externalAccount: file === undefined ? undefined : await readExternalAccount(world, file),
    agreesToTerms: values['acme-agree-terms'] === true,
  };
}

function directoryOf(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'https:' && url.username === '') return url.href;
  throw usageFailure(`"${text}" is no address of an ACME directory.`, 'It begins with https://.');
}

async function readExternalAccount(
  world: World,
  path: string,
): Promise<NonNullable<StartOptions['acme']>['externalAccount']> {
  const file = { option: 'acme-eab-file', value: path };
  const source = { what: 'external account binding', file, fd: { option: '', value: undefined } };
  const members = membersOf(await readSecret(world, source, ''));
  const [keyId, macKey] = [members?.get('kid'), members?.get('hmacKey')];
  if (typeof keyId === 'string' && typeof macKey === 'string' && BASE64URL.test(macKey)) {
    return { keyId, macKey: () => macKey };
  }
  throw new Failure('E_CLI_FILE', {
    what: `${path} holds no external account binding.`,
    why: 'It has to be JSON with the two texts kid and hmacKey.',
    fix: 'Write {"kid": "…", "hmacKey": "…"} into its first line, as the authority gave them.',
  });
}

function membersOf(text: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const DNS_NAME =
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/u;
const BASE64URL = /^[A-Za-z0-9_-]{16,1024}={0,2}$/u;
