import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { certificatePem } from './certificate.ts';
import { octetString } from './der-values.ts';
import { SEQUENCE, element } from './der.ts';
import { OCSP_CERTIFICATES_MAX, OCSP_LIFE_MS, OCSP_NONCE_BYTES_MAX } from './limits.ts';
import { type OcspRequest, parseOcspRequest } from './ocsp-request.ts';
import { type CertificateStatus, OCSP_ERRORS, signOcspAnswer } from './ocsp-response.ts';
import { ManualClock, type OpensslLab, codeOf, opensslLab, present } from './openssl.testing.ts';
import { type RevocationLab, revocationLab } from './revocation.testing.ts';

/** `openssl ocsp` judges by the machine's own clock. */
function presentLab(): RevocationLab {
  return revocationLab({ clock: new ManualClock(Date.now()) });
}

/** A request of openssl for certificates. */
function requestFor(
  openssl: OpensslLab,
  { authority }: RevocationLab,
  { leaves, options = '-sha1' }: { leaves: readonly { der: Uint8Array }[]; options?: string },
): Buffer {
  openssl.write('ca.pem', authority.devicesCaPem);
  openssl.write('root.pem', authority.anchorPem);
  const certs = leaves.map(({ der }, at) => {
    openssl.write(`leaf-${at}.pem`, certificatePem(der));
    return `-cert leaf-${at}.pem`;
  });
  const { isOk, stderr } = openssl.openssl(
    `ocsp ${options} -issuer ca.pem ${certs.join(' ')} -reqout request.der`,
  );
  assert.ok(isOk, stderr);
  return readFileSync(openssl.path('request.der'));
}

function answerTo(
  { list, clock }: RevocationLab,
  request: OcspRequest,
  statuses: readonly CertificateStatus[],
): Uint8Array {
  const certificates = request.certificates.map(({ der: id }, at) => ({
    id,
    status: statuses[at] ?? assert.fail('a status for each'),
  }));
  const { nonce } = request;
  const times = { thisUpdateMs: clock.ms, nextUpdateMs: clock.ms + OCSP_LIFE_MS };
  return signOcspAnswer({ certificates, nonce, ...times }, list.issuer);
}

/** What openssl says of an answer, verified with nothing but issuer and trust anchor. */
function verdict(
  openssl: OpensslLab,
  answer: Uint8Array,
  { count, hash = '-sha1' }: { count: number; hash?: '-sha1' | '-sha256' },
): string {
  openssl.write('answer.der', answer);
  const certs = Array.from({ length: count }, (_, at) => `-cert leaf-${at}.pem`).join(' ');
  const { stdout, stderr } = openssl.openssl(
    `ocsp -no_nonce -reqin request.der -respin answer.der ${hash} -issuer ca.pem ${certs} -CAfile root.pem`,
  );
  return `${stdout.toString()}${stderr}`;
}

test('openssl ocsp verifies good, revoked and unknown, with its nonce, and no further options', (context) => {
  const openssl = opensslLab(context);
  const lab = presentLab();
  const leaves = [lab.issue('good'), lab.issue('bad'), lab.issue('never-seen')];
  const request = present(parseOcspRequest(requestFor(openssl, lab, { leaves })));
  assert.deepEqual(
    request.certificates.map(({ serial }) => serial),
    leaves.map(({ serial }) => serial),
  );
  assert.ok(request.nonce);
  for (const { nameHash, keyHash } of request.certificates) {
    assert.ok(lab.list.issuer.isNamedBy({ hash: 'sha1', nameHash, keyHash }));
    assert.ok(!revocationLab().list.issuer.isNamedBy({ hash: 'sha1', nameHash, keyHash }));
  }
  const revokedAtMs = Date.UTC(2026, 10, 20, 1, 2, 3, 456);
  const text = verdict(
    openssl,
    answerTo(lab, request, [
      { kind: 'good' },
      { kind: 'revoked', revokedAtMs, reason: 'superseded' },
      { kind: 'unknown' },
    ]),
    { count: 3 },
  );
  assert.match(text, /Response verify OK/u);
  assert.doesNotMatch(text, /WARNING/u, 'the nonce came back');
  assert.match(text, /leaf-0\.pem: good/u);
  assert.match(text, /leaf-1\.pem: revoked/u);
  assert.match(text, /Reason: superseded/u);
  assert.match(text, /Revocation Time: Nov 20 01:02:03 2026 GMT/u);
  assert.match(text, /leaf-2\.pem: unknown/u);
});

test('SHA-256 names are understood, and an answer without nonce is good, too', (context) => {
  const openssl = opensslLab(context);
  const lab = presentLab();
  const leaves = [lab.issue('good')];
  const options = '-sha256 -no_nonce';
  const request = present(parseOcspRequest(requestFor(openssl, lab, { leaves, options })));
  const [certificate] = request.certificates;
  assert.equal(certificate?.hash, 'sha256');
  assert.equal(request.nonce, undefined);
  const answer = answerTo(lab, request, [{ kind: 'good' }]);
  const text = verdict(openssl, answer, { count: 1, hash: '-sha256' });
  assert.match(text, /Response verify OK/u);
  assert.match(text, /leaf-0\.pem: good/u);
});

test('an answer that was changed, or is of another authority, does not verify', (context) => {
  const openssl = opensslLab(context);
  const lab = presentLab();
  const leaves = [lab.issue('bad')];
  const request = present(parseOcspRequest(requestFor(openssl, lab, { leaves })));
  const revoked = { kind: 'revoked', revokedAtMs: lab.clock.ms } as const;
  const answer = Buffer.from(answerTo(lab, request, [revoked]));
  const at = answer.indexOf(Buffer.from(request.certificates[0]?.serial ?? '', 'hex'));
  answer[at] = 2;
  assert.match(verdict(openssl, answer, { count: 1 }), /Response Verify Failure/u);
  const other = answerTo(presentLab(), request, [{ kind: 'good' }]);
  assert.match(verdict(openssl, other, { count: 1 }), /Response Verify Failure/u);
});

test('openssl reads the unsigned answers', (context) => {
  const openssl = opensslLab(context);
  const lab = presentLab();
  requestFor(openssl, lab, { leaves: [lab.issue('a')] });
  for (const [error, text] of [
    ['malformedRequest', 'malformedrequest'],
    ['tryLater', 'trylater'],
    ['unauthorized', 'unauthorized'],
  ] as const) {
    assert.ok(verdict(openssl, OCSP_ERRORS[error], { count: 1 }).includes(text), text);
  }
});

const CERTIFICATE_ID = element(
  SEQUENCE,
  element(SEQUENCE, Buffer.from('06052b0e03021a0500', 'hex')),
  octetString(Buffer.alloc(20, 1)),
  octetString(Buffer.alloc(20, 2)),
  Buffer.from('020101', 'hex'),
);

function requestOf(
  certificateIds: readonly Uint8Array[],
  extensions: readonly Uint8Array[] = [],
): Uint8Array {
  const list = element(SEQUENCE, ...certificateIds.map((id) => element(SEQUENCE, id)));
  const tagged = extensions.length === 0 ? [] : [element(0xa2, element(SEQUENCE, ...extensions))];
  return element(SEQUENCE, element(SEQUENCE, list, ...tagged));
}

function nonceOf(length: number): Uint8Array {
  const id = Buffer.from('06092b0601050507300102', 'hex');
  return element(SEQUENCE, id, octetString(octetString(Buffer.alloc(length, 7))));
}

test('one to sixteen certificates, a nonce of 1 to 128 bytes, and no more', () => {
  const many = (count: number): Uint8Array => requestOf(Array(count).fill(CERTIFICATE_ID));
  assert.equal(present(parseOcspRequest(many(1))).certificates.length, 1);
  const most = present(parseOcspRequest(many(OCSP_CERTIFICATES_MAX)));
  assert.equal(most.certificates.length, OCSP_CERTIFICATES_MAX);
  assert.equal(codeOf(parseOcspRequest(many(0))), 'E_ENROLL_OCSP');
  assert.equal(codeOf(parseOcspRequest(many(OCSP_CERTIFICATES_MAX + 1))), 'E_ENROLL_OCSP');
  for (const length of [1, 32, OCSP_NONCE_BYTES_MAX]) {
    const { nonce } = present(parseOcspRequest(requestOf([CERTIFICATE_ID], [nonceOf(length)])));
    assert.deepEqual(nonce, octetString(Buffer.alloc(length, 7)));
  }
  for (const length of [0, OCSP_NONCE_BYTES_MAX + 1]) {
    const request = requestOf([CERTIFICATE_ID], [nonceOf(length)]);
    assert.equal(codeOf(parseOcspRequest(request)), 'E_ENROLL_OCSP');
  }
  const twice = requestOf([CERTIFICATE_ID], [nonceOf(8), nonceOf(8)]);
  assert.equal(codeOf(parseOcspRequest(twice)), 'E_ENROLL_OCSP');
});

test('an extension that is not known is ignored, unless it is critical', () => {
  const id = Buffer.from('06032a0304', 'hex');
  const value = octetString(Uint8Array.of(5, 0));
  const known = requestOf([CERTIFICATE_ID], [element(SEQUENCE, id, value)]);
  assert.equal(present(parseOcspRequest(known)).nonce, undefined);
  const critical = element(SEQUENCE, id, Buffer.from('0101ff', 'hex'), value);
  assert.equal(codeOf(parseOcspRequest(requestOf([CERTIFICATE_ID], [critical]))), 'E_ENROLL_OCSP');
});

test('a signed request, a requestor name and an unknown hash are read; a negative version is not', () => {
  const list = element(SEQUENCE, element(SEQUENCE, CERTIFICATE_ID));
  const name = element(0xa1, element(0x86, Buffer.from('urn:x')));
  const version = element(0xa0, Buffer.from('020100', 'hex'));
  const signature = element(0xa0, element(SEQUENCE));
  const whole = element(SEQUENCE, element(SEQUENCE, version, name, list), signature);
  assert.equal(present(parseOcspRequest(whole)).certificates[0]?.serial, '01');
  const version2 = element(0xa0, Buffer.from('020101', 'hex'));
  const newer = element(SEQUENCE, element(SEQUENCE, version2, list));
  assert.equal(codeOf(parseOcspRequest(newer)), 'E_ENROLL_OCSP');
  const foreign = Buffer.from(CERTIFICATE_ID);
  foreign[foreign.indexOf(0x2b)] = 0x2a;
  const [certificate] = present(parseOcspRequest(requestOf([foreign]))).certificates;
  assert.equal(certificate?.hash, undefined);
});

test('no bytes make the parser throw; a request that is cut or prolonged is refused', () => {
  const request = requestOf([CERTIFICATE_ID, CERTIFICATE_ID], [nonceOf(16)]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const parsed = parseOcspRequest(bytes);
      assert.ok(parsed instanceof Refusal || parsed.certificates.length > 0);
    }),
  );
  fc.assert(
    fc.property(fc.nat(request.length - 1), fc.nat(255), (at, value) => {
      const changed = Buffer.from(request);
      changed[at] = value;
      const parsed = parseOcspRequest(changed);
      if (parsed instanceof Refusal) return;
      assert.ok(parsed.certificates.length > 0);
      for (const { der } of parsed.certificates) assert.ok(changed.includes(Buffer.from(der)));
    }),
  );
  for (let length = 0; length < request.length; length += 1) {
    assert.equal(codeOf(parseOcspRequest(request.subarray(0, length))), 'E_ENROLL_OCSP');
  }
  assert.equal(
    codeOf(parseOcspRequest(Buffer.concat([request, Buffer.alloc(1)]))),
    'E_ENROLL_OCSP',
  );
});
