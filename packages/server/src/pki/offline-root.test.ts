import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { softwareCustody } from '../crypto/index.ts';
import { Fault, Secret, systemRandom } from '../kernel/index.ts';
import { certificatePem, signCertificate, spkiOf, subjectOf } from './certificate.ts';
import { encryptPrivateKey } from './encrypted-key.ts';
import { certificateRequestPem, checkSigned, signRequests } from './generation-request.ts';
import { type ByRole, byRole, createAuthority, derOf, makeKeys, spkisOf } from './generations.ts';
import { isRootProof, openRootFile, proveRoot } from './offline-root.ts';
import { ManualClock, NOW_MS, codeOf, opensslLab, present, tenantName } from './openssl.testing.ts';
import { ISSUING_PROFILES } from './profiles.ts';

const DAY_MS = 86_400_000;
const tenant = tenantName('default');
const deps = { clock: new ManualClock(), random: systemRandom, tenant };
const passphrase = new Secret('correct horse battery');
const material = createAuthority(deps);
const certificate = new X509Certificate(derOf(material.root));
const pkcs8 = new Secret(
  Buffer.from(material.root.key?.kind === 'sealed' ? material.root.key.pkcs8 : '', 'base64'),
);
const rootText =
  (await encryptPrivateKey(pkcs8, { passphrase, random: systemRandom })) + certificate.toString();

/** What is wrong with a root file. */
function rootFault(text: string, given = passphrase): string {
  try {
    openRootFile(text, given);
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'E_PKI_ROOT_FILE');
    return error.message;
  }
  assert.fail('the file opened');
}

test('an exported root opens with its passphrase, here and in openssl', (context) => {
  const lab = opensslLab(context);
  lab.write('root.pem', rootText);
  const show = (given: string) =>
    lab.openssl(`pkey -in root.pem -passin pass:${given} -noout -text`);
  const right = lab.openssl('pkey -in root.pem -passin stdin -pubout', passphrase.expose());
  assert.ok(right.isOk, right.stderr);
  assert.equal(
    right.stdout.toString(),
    certificate.publicKey.export({ format: 'pem', type: 'spki' }),
  );
  assert.ok(!show('wrong').isOk);
  const form = lab.openssl('asn1parse -in root.pem').stdout.toString();
  for (const name of ['PBES2', '1.3.6.1.4.1.11591.4.11|scrypt', 'aes-256-cbc']) {
    assert.match(form, new RegExp(name, 'u'));
  }
  const root = openRootFile(rootText, passphrase);
  const challenge = 'c';
  const proof = proveRoot(root, challenge);
  assert.ok(isRootProof(proof, { root: certificate, challenge }));
  assert.ok(!isRootProof(proof, { root: certificate, challenge: 'd' }));
  const stranger = { ...root, key: softwareCustody.make('other').key };
  assert.ok(!isRootProof(proveRoot(stranger, challenge), { root: certificate, challenge }));
});

test('a wrong passphrase, a foreign certificate, or a part of the file does not open', () => {
  assert.match(rootFault(rootText, new Secret('wrong')), /the passphrase is wrong/u);
  const [keyPem = ''] = rootText.split('-----BEGIN CERTIFICATE-----');
  assert.match(rootFault(keyPem), /must hold/u);
  assert.match(rootFault(certificate.toString()), /must hold/u);
  const other = createAuthority(deps);
  const foreign = certificatePem(derOf(other.root));
  assert.match(rootFault(keyPem + foreign), /not the one of its certificate/u);
});

const keys = makeKeys(2);
const requests = byRole((role) => certificateRequestPem(keys[role].key));
const expected = { root: certificate, spkis: spkisOf(keys), tenant, generation: 2, nowMs: NOW_MS };

function signed(changes: { generation?: number; clock?: ManualClock } = {}): ByRole<string> {
  const root = openRootFile(rootText, passphrase);
  return present(signRequests(requests, { ...deps, root, generation: 2, ...changes }));
}

test('an offline root signs requests that openssl verifies, and the server takes them', (context) => {
  const lab = opensslLab(context);
  for (const role of ['devices', 'servers', 'apps'] as const) {
    lab.write('csr.pem', requests[role]);
    assert.match(lab.openssl('req -in csr.pem -noout -verify').stderr, /verify OK/u);
  }
  const certificates = signed();
  assert.deepEqual(
    byRole((role) => certificatePem(present(checkSigned(certificates, expected))[role])),
    certificates,
  );
});

test('the root signs no request that does not prove its key [E_ENROLL_CSR]', () => {
  const root = openRootFile(rootText, passphrase);
  const der = Buffer.from(requests.apps.replaceAll(/-----.*-----|\s/gu, ''), 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const forged = { ...requests, apps: pem };
  assert.equal(codeOf(signRequests(forged, { ...deps, root, generation: 2 })), 'E_ENROLL_CSR');
});

test('the server takes nothing from the root but what it asked for [E_OPERATE_INPUT]', () => {
  const good = signed();
  const refused = (changes: Partial<ByRole<string>>): void =>
    assert.equal(codeOf(checkSigned({ ...good, ...changes }, expected)), 'E_OPERATE_INPUT');
  refused({ devices: 'nonsense' });
  refused({ devices: good.servers });
  refused({ devices: signed({ generation: 3 }).devices });
  const clock = new ManualClock(NOW_MS + 120_000);
  refused({ servers: signed({ clock }).servers });

  const rootKey = openRootFile(rootText, passphrase).key;
  const issuer = { name: subjectOf(certificate.raw), key: rootKey };
  const spki = spkiOf(keys.devices.key);
  const template = ISSUING_PROFILES.devices({ spki, nowMs: NOW_MS }, { tenant, generation: 2 });
  const make = (changes: Partial<typeof template>, by = issuer): string =>
    certificatePem(signCertificate({ ...template, ...changes }, { issuer: by, ...deps }).der);
  assert.ok(!('code' in checkSigned({ ...good, devices: make({}) }, expected)));
  refused({ devices: make({ nameConstraints: undefined }) });
  refused({ devices: make({ purposes: [] }) });
  refused({ devices: make({ spki: spkiOf(softwareCustody.make('x').key) }) });
  refused({ devices: make({ notAfterMs: NOW_MS + 364 * DAY_MS }) });
  assert.ok(
    !(
      'code' in
      checkSigned({ ...good, devices: make({ notAfterMs: NOW_MS + 365 * DAY_MS }) }, expected)
    ),
  );
  refused({ devices: make({ notAfterMs: certificate.validToDate.getTime() + DAY_MS }) });
  const stranger = { ...issuer, key: softwareCustody.make('x').key };
  refused({ devices: make({}, stranger) });
});
