/** The certificates that no door may let in, and why each is refused. @module */
import { X509Certificate } from 'node:crypto';
import type { Credential, Forge, Forgery } from './forge.ts';
import type { StolenKeys } from './stolen-keys.ts';

/** A certificate that must be refused. */
export interface Forged {
  readonly what: string;
  readonly credential: Credential | undefined;
  /** The refusal of the gate. */
  readonly code: string;
  /** That of a resumed session, of which OpenSSL says nothing. */
  readonly resumedCode?: string;
  /** That of a renewal, which looks further at a certificate that has ended. */
  readonly renewalCode?: string;
}

const URN = 'URI:urn:holdfast:default:pump-1';
const CLIENT = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=clientAuth'];
const BY = 'authorityKeyIdentifier=keyid';
const named = (names: string): string[] => [...CLIENT, BY, `subjectAltName=${names}`];
const AUTHORITY = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=keyCertSign,digitalSignature',
  BY,
];

/** A subjectAltName in DER that holds one URI, of any bytes. */
function rawUri(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const name = Buffer.concat([Buffer.from([0x86, bytes.length]), bytes]);
  const hex = Buffer.concat([Buffer.from([0x30, name.length]), name]).toString('hex');
  return `DER:${hex.match(/../gu)?.join(':') ?? ''}`;
}

/**
 * Makes them all.
 * @param own - an enrolled device: what it may not do is issue.
 */
export function forgeAll(
  forge: Forge,
  { stolen, own }: { stolen: StolenKeys; own: Credential },
): Forged[] {
  const { devices, servers, apps } = stolen;
  for (const [name, authority] of Object.entries({ devices, servers, apps })) {
    forge.adopt(name, authority);
  }
  // The bundle holds the certificate and its issuer: the first one is the device's own.
  const [ownLeaf = ''] = own.cert.split(/(?<=-----END CERTIFICATE-----\n)/u);
  forge.adopt('own', { ...own, cert: ownLeaf });
  forge.makeRoot('foreign', '/CN=Some other CA');
  const ours = new X509Certificate(devices.cert);
  const keyId = /X509v3 Subject Key Identifier:\s*\n\s*([0-9A-F:]+)/u.exec(
    forge.openssl('x509', '-in', 'devices.crt', '-noout', '-text').toString(),
  )?.[1];
  forge.makeRoot('namesake', `/${ours.subject}`, keyId);
  forge.make({ name: 'sub', issuer: 'devices', subject: '/CN=Sub CA', extensions: AUTHORITY });
  forge.adopt('sub', { cert: forge.read('sub.crt'), key: forge.read('leaf.key') });
  return [
    { what: 'no certificate', credential: undefined, code: 'E_SESSION_NO_CERTIFICATE' },
    ...foreign(forge),
    ...ofStolenKey(forge),
    ...namesOf(forge),
  ];
}

function foreign(forge: Forge): Forged[] {
  const code = 'E_SESSION_FOREIGN_CA';
  const make = (what: string, forgery: Omit<Forgery, 'extensions'>): Forged => ({
    what,
    credential: forge.make({ extensions: named(URN), ...forgery }),
    code,
  });
  return [
    make('a foreign CA', { name: 'by-foreign', issuer: 'foreign' }),
    make("a foreign CA with our CA's name and key id", { name: 'by-namesake', issuer: 'namesake' }),
    make('path length: issued by a device', { name: 'by-own', issuer: 'own', chain: ['own'] }),
    make('path length: issued by a CA below ours', {
      name: 'by-sub',
      issuer: 'sub',
      chain: ['sub', 'devices'],
    }),
    {
      what: 'the CA of devices itself, as a client',
      credential: { cert: forge.read('devices.crt'), key: forge.read('devices.key') },
      code,
    },
  ];
}

/** The issuing key is in the wrong hands: what the profiles and the registry still hold. */
function ofStolenKey(forge: Forge): Forged[] {
  const make = (
    what: string,
    forgery: Partial<Forgery> & { name: string },
    codes: Pick<Forged, 'code' | 'resumedCode' | 'renewalCode'>,
  ): Forged => ({
    what,
    credential: forge.make({ issuer: 'devices', extensions: named(URN), ...forgery }),
    ...codes,
  });
  const purpose = { code: 'E_SESSION_PURPOSE' };
  const server = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth', BY];
  const unknown = 'E_SESSION_UNKNOWN_CERTIFICATE';
  return [
    make(
      'expired',
      { name: 'expired', fromDays: -9, toDays: -2 },
      { code: 'E_SESSION_EXPIRED', renewalCode: unknown },
    ),
    make('not yet valid', { name: 'early', fromDays: 2 }, { code: 'E_SESSION_NOT_YET_VALID' }),
    make(
      'serverAuth only',
      { name: 'server', extensions: [...server, `subjectAltName=${URN}`] },
      purpose,
    ),
    make('issued by our CA of servers', { name: 'by-servers', issuer: 'servers' }, purpose),
    make('issued by our CA of apps', { name: 'by-apps', issuer: 'apps' }, purpose),
    make(
      'a CA certificate as a client',
      {
        name: 'ca-client',
        extensions: [...AUTHORITY, 'extendedKeyUsage=clientAuth', `subjectAltName=${URN}`],
      },
      purpose,
    ),
    make(
      'name constraint: a host beside the device',
      { name: 'host', extensions: named(`${URN},DNS:pump.example.com`) },
      purpose,
    ),
    make(
      'name constraint: a host as common name',
      { name: 'common-name', subject: '/CN=pump.example.com' },
      { code: 'E_SESSION_FOREIGN_CA', resumedCode: unknown },
    ),
    make('perfect, but not in the registry', { name: 'perfect' }, { code: unknown }),
  ];
}

function namesOf(forge: Forge): Forged[] {
  const urn = 'urn:holdfast:default:';
  const names: readonly (readonly [what: string, extensions: readonly string[]])[] = [
    ['no name at all', [...CLIENT, BY]],
    ['two device names', named(`${URN},URI:${urn}pump-2`)],
    ['the same name twice', named(`${URN},${URN}`)],
    ['200 device names', named(Array.from({ length: 200 }, (_, n) => `URI:${urn}x${n}`).join(','))],
    ['a name of 65 characters', named(`URI:${urn}${'x'.repeat(65)}`)],
    ['a name of 8,000 characters', named(`URI:${urn}${'x'.repeat(8_000)}`)],
    ['a device of another tenant', named('URI:urn:holdfast:other:pump-1')],
    ['an app of ours', named(`URI:${urn}app:pump-1`)],
    ['wildcard in the name: *', named(`URI:${urn}*`)],
    ['wildcard in the name: +', named(`URI:${urn}+`)],
    ['wildcard in the name: #', named(`URI:${urn}#`)],
    ['NUL in the name', named(rawUri(`${urn}pump-1\0`))],
    ['NUL, then another name', named(rawUri(`${urn}pump-1\0.example.com`))],
    ['line feed in the name', named(rawUri(`${urn}pump-1\n`))],
    ['escape in the name', named(rawUri(`${urn}\u001B[2Jpump-1`))],
    ['a name that looks like two', named(rawUri(`${urn}pump-1, URI:${urn}pump-2`))],
    ['a name in capitals', named('URI:URN:HOLDFAST:DEFAULT:PUMP-1')],
    ['a mail address', named('email:pump-1@example.com')],
  ];
  return names.map(([what, extensions], at) => ({
    what: `SAN: ${what}`,
    credential: forge.make({ name: `san-${at}`, issuer: 'devices', extensions }),
    code: 'E_SESSION_PURPOSE',
  }));
}
