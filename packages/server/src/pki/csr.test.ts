import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { WISHES_MAX, WISH_CHARACTERS_MAX } from './csr-wishes.ts';
import { CSR_BYTES_MAX, parseCsr } from './csr.ts';
import {
  codeOf,
  deviceId,
  newAuthority,
  opensslLab,
  present,
  tenantName,
} from './openssl.testing.ts';

const P256 = '-newkey ec -pkeyopt ec_paramgen_curve:P-256';

/** A request made by `openssl req`, in DER. */
function request(
  context: TestContext,
  { key = P256, options = '-subj /CN=thermostat-1' }: { key?: string; options?: string } = {},
): Buffer {
  const lab = opensslLab(context);
  const command = `req -new ${key} -noenc -keyout key.pem -outform DER ${options}`;
  const { isOk, stdout, stderr } = lab.openssl(command);
  assert.ok(isOk, stderr);
  return stdout;
}

function pem(der: Uint8Array, label = 'CERTIFICATE REQUEST'): string {
  const lines = wrapped(der, '\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function wrapped(der: Uint8Array, lineEnd: string): string {
  return (
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/gu) ?? []
  ).join(lineEnd);
}

test('a request of openssl is read in each of its forms, and gives the same key', (context) => {
  const der = request(context);
  const { spkiDer, spkiHash } = present(parseCsr(der));
  assert.equal(spkiHash, createHash('sha256').update(spkiDer).digest('hex'));
  assert.ok(der.includes(spkiDer));
  const base64 = der.toString('base64');
  for (const form of [
    base64,
    `${base64}\n`,
    wrapped(der, '\n'),
    wrapped(der, '\r\n'),
    pem(der),
    `\n${pem(der).replaceAll('\n', '\r\n')}`,
    pem(der, 'NEW CERTIFICATE REQUEST'),
    Buffer.from(base64),
    Buffer.from(pem(der)),
  ]) {
    assert.equal(present(parseCsr(form)).spkiHash, spkiHash);
  }
});

test('a request that is nearly in one of the forms is refused [E_ENROLL_CSR]', (context) => {
  const der = request(context);
  const base64 = der.toString('base64');
  for (const body of [
    '',
    ' ',
    new Uint8Array(0),
    `${base64}AAAA`,
    base64.slice(4),
    `${base64}!`,
    base64.slice(0, -1),
    base64.replaceAll('A', '-'),
    pem(der).replace('END CERTIFICATE', 'END NEW CERTIFICATE'),
    pem(der, 'CERTIFICATE'),
    pem(der) + pem(der),
    Buffer.concat([der, Buffer.from([0])]),
    Buffer.concat([der, der]),
    der.subarray(0, -1),
    Buffer.concat([Buffer.from('3080', 'hex'), der.subarray(4), Buffer.from('0000', 'hex')]),
    Buffer.concat([Buffer.from('3083', 'hex'), Buffer.from([0]), der.subarray(2)]),
  ]) {
    assert.equal(codeOf(parseCsr(body)), 'E_ENROLL_CSR', String(body));
  }
});

test('a body at the limit of size is read, and one above it is not', (context) => {
  const base64 = request(context).toString('base64');
  assert.ok(!(parseCsr(base64.padEnd(CSR_BYTES_MAX)) instanceof Refusal));
  assert.ok(!(parseCsr(Buffer.from(base64.padEnd(CSR_BYTES_MAX))) instanceof Refusal));
  assert.equal(codeOf(parseCsr(base64.padEnd(CSR_BYTES_MAX + 1))), 'E_ENROLL_CSR');
  assert.equal(codeOf(parseCsr(Buffer.from(base64.padEnd(CSR_BYTES_MAX + 1)))), 'E_ENROLL_CSR');
});

test('only keys on P-256 are taken [E_ENROLL_KEY]', (context) => {
  for (const key of [
    '-newkey rsa:2048',
    '-newkey ec -pkeyopt ec_paramgen_curve:P-384',
    '-newkey ec -pkeyopt ec_paramgen_curve:secp256k1',
    '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit',
    '-newkey ed25519',
  ]) {
    assert.equal(codeOf(parseCsr(request(context, { key }))), 'E_ENROLL_KEY', key);
  }
});

test('SHA-256, SHA-384 and SHA-512 prove possession; SHA-1 does not [E_ENROLL_CSR]', (context) => {
  for (const digest of ['-sha256', '-sha384', '-sha512']) {
    present(parseCsr(request(context, { options: `${digest} -subj /CN=a` })));
  }
  for (const digest of ['-sha1', '-sha224', '-sha3-256']) {
    const code = codeOf(parseCsr(request(context, { options: `${digest} -subj /CN=a` })));
    assert.equal(code, 'E_ENROLL_CSR', digest);
  }
});

test('a request in which any one bit was changed is refused, or has the same key', (context) => {
  const der = request(context);
  const { spkiHash } = present(parseCsr(der));
  const signedEnd = der.lastIndexOf(Buffer.from('300a06082a8648ce3d0403', 'hex'));
  assert.ok(signedEnd > 100);
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(7), (at, bit) => {
      const tampered = Buffer.from(der);
      tampered[at] = (der[at] ?? 0) ^ (1 << bit);
      const result = parseCsr(tampered);
      if (at < signedEnd) assert.ok(result instanceof Refusal);
      assert.ok(result instanceof Refusal || result.spkiHash === spkiHash);
    }),
    { numRuns: 2000 },
  );
});

test('the key of another cannot be claimed: a signature by another key is refused', (context) => {
  const mine = request(context);
  const theirs = request(context);
  const key = present(parseCsr(theirs)).spkiDer;
  const stolen = Buffer.from(mine);
  Buffer.from(key).copy(stolen, mine.indexOf(present(parseCsr(mine)).spkiDer));
  assert.equal(codeOf(parseCsr(stolen)), 'E_ENROLL_CSR');
});

test('a point that is not on the curve is refused [E_ENROLL_KEY]', (context) => {
  const der = request(context);
  const at = der.indexOf(present(parseCsr(der)).spkiDer) + 60;
  const broken = Buffer.from(der);
  broken[at] = (der[at] ?? 0) ^ 1;
  assert.equal(codeOf(parseCsr(broken)), 'E_ENROLL_KEY');
});

test('a point in another form than uncompressed is refused [E_ENROLL_KEY]', (context) => {
  const lab = opensslLab(context);
  assert.ok(lab.openssl('ecparam -name prime256v1 -genkey -noout -out key.pem').isOk);
  for (const form of ['uncompressed', 'compressed', 'hybrid']) {
    assert.ok(lab.openssl(`ec -in key.pem -conv_form ${form} -out form.pem`).isOk);
    const { stdout } = lab.openssl('req -new -key form.pem -subj /CN=a -outform DER');
    const result = parseCsr(stdout);
    if (form === 'uncompressed') present(result);
    else assert.equal(codeOf(result), 'E_ENROLL_KEY', form);
  }
});

test('whatever else a request asks for is listed and does not reach the certificate', (context) => {
  const options =
    '-subj /O=Evil/CN=admin -addext subjectAltName=DNS:broker.example.org,IP:192.0.2.1,' +
    'URI:urn:holdfast:default:other,email:a@example.org ' +
    '-addext basicConstraints=critical,CA:TRUE -addext extendedKeyUsage=serverAuth';
  const { spkiDer, ignored } = present(parseCsr(request(context, { options })));
  assert.deepEqual(ignored, [
    'subject O=Evil',
    'subject CN=admin',
    'subjectAltName DNS:broker.example.org',
    'subjectAltName IP:192.0.2.1',
    'subjectAltName URI:urn:holdfast:default:other',
    'subjectAltName email:a@example.org',
    'extension 2.5.29.19',
    'extension 2.5.29.37',
  ]);
  const device = { tenant: tenantName('default'), deviceId: deviceId('t-1'), lifeMs: 60_000 };
  const { der } = newAuthority().issueDevice({ spki: spkiDer, ...device });
  const certificate = new X509Certificate(der);
  assert.equal(certificate.subject, 'CN=t-1');
  assert.equal(certificate.subjectAltName, 'URI:urn:holdfast:default:t-1');
  assert.equal(certificate.ca, false);
  assert.ok(!Buffer.from(der).includes('Evil'));
});

test('what a request asks for cannot forge a log line, nor fill the log', (context) => {
  const lab = opensslLab(context);
  const names = Array.from({ length: 20 }, (_, index) => `DNS.${index} = host-${index}`).join('\n');
  lab.write(
    'req.cnf',
    `[req]\ndistinguished_name=dn\nreq_extensions=ext\nprompt=no\nutf8=yes\nstring_mask=utf8only\n` +
      `[dn]\nCN=a\\nERROR forged\u001b[31m\u009b\n` +
      `0.O=${'o'.repeat(60)}\n[ext]\nsubjectAltName=@alt\n` +
      `[alt]\notherName=1.2.3;UTF8:other\nURI=${'u'.repeat(300)}\n${names}\n`,
  );
  const { stdout } = lab.openssl(
    `req -new ${P256} -noenc -keyout key.pem -outform DER -config req.cnf`,
  );
  const { ignored } = present(parseCsr(stdout));
  assert.equal(ignored.length, WISHES_MAX);
  assert.equal(ignored[0], 'subject CN=a?ERROR forged?[31m?');
  assert.ok(ignored.some((wish) => wish.length === WISH_CHARACTERS_MAX));
  for (const wish of ignored) assert.match(wish, /^[\x20-\x7e]{1,120}$/u);
});

test('garbage of any kind gives a refusal and never throws', (context) => {
  const der = request(context);
  const code = (body: Uint8Array | string): string => codeOf(parseCsr(body));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void code(bytes)));
  fc.assert(fc.property(fc.string({ maxLength: 600 }), (text) => void code(text)));
  fc.assert(fc.property(fc.base64String({ maxLength: 600 }), (text) => void code(text)));
  const spliced = fc.tuple(fc.nat(der.length), fc.uint8Array({ maxLength: 40 }), fc.nat(40));
  fc.assert(
    fc.property(spliced, ([at, bytes, removed]) => {
      const tail = der.subarray(Math.min(der.length, at + removed));
      parseCsr(Buffer.concat([der.subarray(0, at), bytes, tail]));
    }),
    { numRuns: 1000 },
  );
});

test('nesting and node count, at the limit of size, neither overflow nor take long', () => {
  const nested = Buffer.alloc(CSR_BYTES_MAX, Buffer.from('3080', 'hex'));
  const wide = Buffer.concat([
    Buffer.from('30821ffc', 'hex'),
    Buffer.alloc(8188, Buffer.from('0500', 'hex')),
  ]);
  let deep = Buffer.alloc(0);
  for (;;) {
    const length = deep.length;
    const header =
      length < 0x80
        ? [0x30, length]
        : length < 0x100
          ? [0x30, 0x81, length]
          : [0x30, 0x82, length >> 8, length & 0xff];
    if (length + header.length > CSR_BYTES_MAX) break;
    deep = Buffer.concat([Buffer.from(header), deep]);
  }
  for (const body of [nested, wide, deep]) {
    const begun = process.cpuUsage();
    assert.equal(codeOf(parseCsr(body)), 'E_ENROLL_CSR');
    assert.ok(process.cpuUsage(begun).user < 1_000_000, 'it takes long');
  }
});
