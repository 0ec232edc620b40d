/** Certificates that others are to check, for the tests of revocation. @module */
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import type { Authority } from './authority.ts';
import { type IssuedCertificate, certificatePem, spkiOf } from './certificate.ts';
import type { RevokedCertificate } from './crl.ts';
import {
  ManualClock,
  type OpensslLab,
  deviceId,
  newAuthority,
  tenantName,
} from './openssl.testing.ts';
import { revocationIssuer } from './revocation-issuer.ts';
import { RevocationList } from './revocation-list.ts';

const DAY_MS = 86_400_000;
export const BASE_URL = 'https://hub.example.org:8444';

/** An authority with its revocation list. */
export interface RevocationLab {
  readonly clock: ManualClock;
  readonly authority: Authority;
  readonly list: RevocationList;
  issue(id: string): IssuedCertificate;
  revoke(certificate: IssuedCertificate, reason?: RevokedCertificate['reason']): void;
}

/** @param options - `baseUrl`: what certificates name; none when undefined. */
export function revocationLab({
  baseUrl,
  clock = new ManualClock(),
}: { baseUrl?: string; clock?: ManualClock } = {}): RevocationLab {
  const authority = newAuthority(clock);
  if (baseUrl !== undefined) authority.announceRevocation(baseUrl);
  const [signer] = authority.devicesIssuers();
  if (signer === undefined) throw new Error('an authority issues');
  const issuer = revocationIssuer(signer);
  const list = new RevocationList({ issuer, clock, baseUrl: () => BASE_URL });
  return {
    clock,
    authority,
    list,
    issue: (id) =>
      authority.issueDevice({
        spki: spkiOf(softwareKeyHandle('ES256', generatePrivateKey('ES256'))),
        tenant: tenantName('default'),
        deviceId: deviceId(id),
        lifeMs: 90 * DAY_MS,
      }),
    revoke: ({ serial, notAfterMs }, reason) =>
      list.put({ serial, notAfterMs, revokedAtMs: clock.ms, reason }),
  };
}

/** What `openssl verify -crl_check` says of a certificate by a list: its complaint, or `ok`. */
export function crlVerdict(
  openssl: OpensslLab,
  { authority, clock }: RevocationLab,
  { leaf, crl }: { leaf: IssuedCertificate; crl: Uint8Array | undefined },
): string {
  openssl.write('leaf.pem', certificatePem(leaf.der));
  openssl.write('ca.pem', authority.devicesCaPem);
  openssl.write('root.pem', authority.anchorPem);
  openssl.write('list.crl', crl ?? '');
  const converted = openssl.openssl('crl -inform DER -in list.crl -out list.pem');
  if (!converted.isOk) return converted.stderr;
  const { isOk, stderr } = openssl.openssl(
    `verify -x509_strict -crl_check -attime ${Math.floor(clock.ms / 1_000)} ` +
      '-CAfile root.pem -untrusted ca.pem -CRLfile list.pem leaf.pem',
  );
  return isOk ? 'ok' : stderr;
}
