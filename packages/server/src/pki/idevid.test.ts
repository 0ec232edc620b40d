import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { csrAttributes } from './csr-attributes.ts';
import { checkIdevid, normalSerial, parseManufacturerPem } from './idevid.ts';
import { MANUFACTURER_CERTIFICATES_MAX } from './limits.ts';
import { type OpensslLab, opensslLab } from './openssl.testing.ts';

const EC = 'ec -pkeyopt ec_paramgen_curve:P-256';
const NAME = '/O=Acme/serialNumber=AC-004711';

/** A manufacturer with a root and an authority below it that issues to devices. */
function openMaker(t: TestContext) {
  const lab = opensslLab(t);
  makeRoot(lab, 'root');
  // For longer than what it issues, which begins in a later second where a second ends in between.
  const kind = { by: 'root', extensions: CA, subject: '/CN=acme-devices', days: '20' };
  makeSigned(lab, 'issuing', kind);
  const issuing = certificateOf(lab, 'issuing');
  const check = (
    certificate: X509Certificate,
    { issuers = [issuing], nowMs = Date.now() } = {},
  ): ReturnType<typeof checkIdevid> =>
    checkIdevid(certificate, { manufacturers: [{ name: 'acme', certificates: issuers }], nowMs });
  return { lab, issuing, check, device: (how: Partial<Signing> = {}) => makeDevice(lab, how) };
}

const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
const DEVICE = 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n';

interface Signing {
  readonly by: string;
  readonly key: string;
  readonly subject: string;
  readonly extensions: string;
  readonly digest: string;
  readonly serial: string;
  readonly days: string;
}

function makeRoot(lab: OpensslLab, name: string, key = EC): void {
  const run = lab.openssl(
    `req -x509 -newkey ${key} -noenc -keyout ${name}.key -out ${name}.pem -days 30 -subj /CN=${name}`,
  );
  assert.ok(run.isOk, run.stderr);
}

function makeSigned(lab: OpensslLab, name: string, how: Partial<Signing>): void {
  const { by = 'issuing', key = EC, subject = NAME, extensions = DEVICE } = how;
  const { digest = 'sha256', serial = '0x4711', days = '10' } = how;
  lab.write('extensions', extensions);
  const request = lab.openssl(
    `req -new -newkey ${key} -noenc -keyout ${name}.key -out ${name}.csr -subj ${subject}`,
  );
  assert.ok(request.isOk, request.stderr);
  const issued = lab.openssl(
    `x509 -req -in ${name}.csr -CA ${by}.pem -CAkey ${by}.key -set_serial ${serial} -days ${days} ` +
      `-${digest} -extfile extensions -out ${name}.pem`,
  );
  assert.ok(issued.isOk, issued.stderr);
}

function certificateOf(lab: OpensslLab, name: string): X509Certificate {
  return new X509Certificate(readFileSync(lab.path(`${name}.pem`)));
}

function makeDevice(lab: OpensslLab, how: Partial<Signing>): X509Certificate {
  makeSigned(lab, 'device', how);
  return certificateOf(lab, 'device');
}

function detailOf(result: ReturnType<typeof checkIdevid>): string {
  assert.ok(result instanceof Refusal);
  assert.equal(result.code, 'E_ENROLL_IDEVID');
  return result.detail;
}

test('an IDevID tells its manufacturer, and both of its serial numbers', (t) => {
  const { device, check } = openMaker(t);
  assert.deepEqual(check(device()), {
    manufacturer: 'acme',
    serial: 'AC-004711',
    certificateSerial: '4711',
  });
  for (const key of ['rsa:2048', 'ec -pkeyopt ec_paramgen_curve:P-384', 'ed25519']) {
    assert.ok(!(check(device({ key })) instanceof Refusal), key);
  }
  const purposes = 'extendedKeyUsage=serverAuth,clientAuth';
  assert.ok(!(check(device({ extensions: DEVICE + purposes })) instanceof Refusal));
});

test('two serial numbers in the subject, or one that is no text, are none', (t) => {
  const { device, check } = openMaker(t);
  for (const subject of ['/serialNumber=A/serialNumber=B', '/CN=device']) {
    const found = check(device({ subject }));
    assert.ok(!(found instanceof Refusal));
    assert.equal(found.serial, undefined, subject);
  }
});

test('only what a registered authority has issued itself is accepted', (t) => {
  const { lab, device, check, issuing } = openMaker(t);
  makeRoot(lab, 'impostor');
  // The name of the authority, and not its key.
  makeSigned(lab, 'forged', { by: 'impostor', extensions: CA, subject: '/CN=acme-devices' });
  assert.match(detailOf(check(device({ by: 'forged' }))), /no manufacturer/u);
  assert.match(detailOf(check(device({ by: 'impostor' }))), /no manufacturer/u);
  // The root alone does not do: which of its authorities may enroll devices is said one by one.
  const root = certificateOf(lab, 'root');
  assert.match(detailOf(check(device(), { issuers: [root] })), /no manufacturer/u);
  assert.ok(!(check(device(), { issuers: [root, issuing] }) instanceof Refusal));
  assert.match(detailOf(check(device(), { issuers: [] })), /no manufacturer/u);
});

test('time, purpose, key and signature are looked at, of the authority too', (t) => {
  const { lab, device, check, issuing } = openMaker(t);
  const good = device();
  const [start, end] = [good.validFromDate.getTime(), good.validToDate.getTime()];
  assert.ok(!(check(good, { nowMs: end }) instanceof Refusal));
  assert.match(detailOf(check(good, { nowMs: end + 1 })), /it counts from/u);
  assert.ok(!(check(good, { nowMs: start }) instanceof Refusal));
  assert.match(detailOf(check(good, { nowMs: start - 1 })), /it counts from/u);
  assert.match(detailOf(check(device({ extensions: CA }))), /of an authority/u);
  const forServers = `${DEVICE}extendedKeyUsage=serverAuth`;
  assert.match(detailOf(check(device({ extensions: forServers }))), /client authentication/u);
  assert.match(detailOf(check(device({ key: 'rsa:1024' }))), /too weak/u);
  const other = 'ec -pkeyopt ec_paramgen_curve:secp256k1';
  assert.match(detailOf(check(device({ key: other }))), /too weak/u);
  assert.match(detailOf(check(device({ digest: 'sha1' }))), /signed with ecdsa-with-SHA1/u);
  lab.write('extensions', DEVICE);
  const longer = lab.openssl(
    'x509 -req -in device.csr -CA issuing.pem -CAkey issuing.key -days 90 -extfile extensions -out device.pem',
  );
  assert.ok(longer.isOk, longer.stderr);
  const nowMs = issuing.validToDate.getTime() + 1;
  assert.match(detailOf(check(certificateOf(lab, 'device'), { nowMs })), /the authority of acme/u);
});

test('the authorities of a manufacturer are read out of PEM, and nothing else is taken', (t) => {
  const { lab, device } = openMaker(t);
  const pem = (name: string): string => readFileSync(lab.path(`${name}.pem`), 'utf8');
  const count = (text: string): number | string => {
    const read = parseManufacturerPem(text);
    return read instanceof Refusal ? `${read.code} ${read.detail}` : read.length;
  };
  assert.equal(count(`subject=/CN=x\n${pem('issuing')}\r\n${pem('root')}`), 2);
  assert.equal(count(pem('root').repeat(MANUFACTURER_CERTIFICATES_MAX)), 8);
  assert.match(`${count(pem('root').repeat(9))}`, /^E_OPERATE_INPUT .*more than 8/u);
  assert.match(`${count('')}`, /^E_OPERATE_INPUT .*no certificate/u);
  assert.match(`${count(readFileSync(lab.path('root.key'), 'utf8'))}`, /no certificate/u);
  device();
  assert.match(`${count(pem('root') + pem('device'))}`, /AC-004711 is no authority/u);
  makeRoot(lab, 'weak', 'rsa:1024');
  assert.match(`${count(pem('weak'))}`, /RSA of 1024 bits/u);
  const broken = pem('root').replace(/MII/u, 'MIJ');
  assert.match(`${count(broken)}`, /cannot be read/u);
});

test('no text makes the reader of authorities throw', () => {
  const block = fc
    .base64String()
    .map((text) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`);
  fc.assert(
    fc.property(fc.array(fc.oneof(block, fc.string())), (parts) => {
      assert.ok(parseManufacturerPem(parts.join('')) instanceof Refusal);
    }),
  );
});

test('a serial number is compared however it was written', () => {
  for (const text of ['4711', '00:47:11', '004711', '47:11'])
    assert.equal(normalSerial(text), '4711');
  assert.equal(normalSerial('0A'), 'a');
  assert.equal(normalSerial('00'), '0');
});

test('csrattrs asks for P-256 and ECDSA with SHA-256 [RFC 7030 §4.5.2]', (t) => {
  const { stdout, isOk } = opensslLab(t).openssl('asn1parse -inform DER', csrAttributes());
  assert.ok(isOk);
  const types = stdout.toString().match(/(?:SEQUENCE|SET|OBJECT +:\S+)/gu);
  assert.deepEqual(
    types?.map((type) => type.replace(/ +:/u, ' ')),
    [
      'SEQUENCE',
      'SEQUENCE',
      'OBJECT id-ecPublicKey',
      'SET',
      'OBJECT prime256v1',
      'OBJECT ecdsa-with-SHA256',
    ],
  );
});
