/** Revocation lists and OCSP over real TLS, with the clients that others use: `openssl`, `curl`. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDeviceId } from '@holdfast/protocol';
import { certificatePem, parseOcspRequest } from '../pki/index.ts';
import type { CertificateRecord } from '../registry/index.ts';
import { type ListeningLab, openListeningLab, present } from './lab.testing.ts';
import {
  OCSP_SIGNATURES_PER_SECOND_MAX,
  REVOCATION_REQUESTS_MAX,
  REVOCATION_WINDOW_MS,
} from './limits.ts';
import { Revocations } from './revocations.ts';

/** A device with a certificate, which also stands in `<id>.pem`. */
function addCertified(lab: ListeningLab, id: string): CertificateRecord {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const deviceId = present(parseDeviceId(id));
  const lifeMs = 86_400_000;
  const issued = lab.authority.issueDevice({ spki, tenant: lab.tenant, deviceId, lifeMs });
  const { der, ...facts } = issued;
  writeFileSync(join(lab.folder, `${id}.pem`), certificatePem(der));
  const certificate = { ...facts, deviceId: id, status: 'current' as const };
  const device = lab.registry.byId(id) ?? lab.addDevice(id);
  lab.claim(device);
  const claim = lab.registry.claimOf(id) ?? assert.fail('a claim');
  lab.registry.completeEnrollment(lab.registry.byId(id) ?? device, { certificate, claim });
  return certificate;
}

function revoke({ registry }: ListeningLab, id: string, reason = 'stolen'): void {
  present(registry.changeState(id, { act: 'revoke', by: 'local', reason }));
}

/** A lab with what a relying party has: the trust anchor, and the devices authority. */
async function relyingLab(context: Parameters<typeof openListeningLab>[0]): Promise<ListeningLab> {
  const lab = await openListeningLab(context);
  writeFileSync(join(lab.folder, 'root.pem'), lab.authority.anchorPem);
  writeFileSync(join(lab.folder, 'ca.pem'), lab.authority.devicesCaPem);
  return lab;
}

async function curl(lab: ListeningLab, path: string, options = ''): Promise<string> {
  const url = `https://localhost:${lab.port}${path}`;
  const { stdout, stderr } = await lab.shell(
    `curl --silent --show-error --path-as-is --cacert root.pem ${options} '${url}'`,
  );
  assert.equal(stderr, '');
  return stdout;
}

async function verdict(lab: ListeningLab, id: string, path: string): Promise<string> {
  await curl(lab, path, '--output list.crl');
  const { code, stdout, stderr } = await lab.shell(
    `openssl crl -inform DER -in list.crl -out list.pem &&
     openssl verify -crl_check -CAfile root.pem -untrusted ca.pem -CRLfile list.pem ${id}.pem`,
  );
  return code === 0 ? 'ok' : stdout + stderr;
}

test('curl fetches the complete list and the partition of a certificate; openssl verifies', async (t) => {
  const lab = await relyingLab(t);
  lab.authority.announceRevocation(`https://localhost:${lab.port}`);
  addCertified(lab, 'good');
  addCertified(lab, 'bad');
  revoke(lab, 'bad');
  for (const id of ['good', 'bad']) {
    const { stdout } = await lab.shell(
      `openssl x509 -in ${id}.pem -noout -ext crlDistributionPoints | grep -o 'https:.*'`,
    );
    const { pathname } = new URL(stdout.trim());
    const expected = id === 'good' ? /^ok$/u : /certificate revoked/u;
    for (const path of [pathname, '/crl/devices.crl']) {
      assert.match(await verdict(lab, id, path), expected, path);
    }
  }
});

test('what is superseded by a new enrollment is on the list, with that reason', async (t) => {
  const lab = await relyingLab(t);
  addCertified(lab, 'twice');
  await lab.shell('cp twice.pem first.pem');
  addCertified(lab, 'twice');
  assert.match(await verdict(lab, 'first', '/crl/devices.crl'), /certificate revoked/u);
  assert.equal(await verdict(lab, 'twice', '/crl/devices.crl'), 'ok');
  const { stdout } = await lab.shell('openssl crl -in list.pem -noout -text');
  assert.match(stdout, /Superseded/u);
  // From then on each change shows, once the second is over.
  revoke(lab, 'twice', 'keyCompromise');
  lab.clock.ms += 1_000;
  assert.match(await verdict(lab, 'twice', '/crl/devices.crl'), /certificate revoked/u);
  const after = await lab.shell('openssl crl -in list.pem -noout -text');
  assert.equal(after.stdout.split('Key Compromise').length - 1, 2, 'both of the device');
});

test('a list has a tag and a time, and is not sent again while it is the same', async (t) => {
  const lab = await relyingLab(t);
  const path = '/crl/devices.crl';
  const head = await curl(lab, path, '--head');
  assert.match(head, /^HTTP\/1\.1 200/u);
  assert.match(head, /content-type: application\/pkix-crl/iu);
  assert.match(head, /cache-control: public, max-age=60, must-revalidate/iu);
  const tag = /etag: (".*")/iu.exec(head)?.[1] ?? assert.fail(head);
  const since = /last-modified: (.*GMT)/iu.exec(head)?.[1] ?? assert.fail(head);
  const status = (options: string): Promise<string> =>
    curl(lab, path, `--output /dev/null --write-out '%{http_code}' ${options}`);
  const given = (name: string, value: string): string => `--header '${name}: ${value}'`;
  assert.equal(await status(given('if-none-match', tag)), '304');
  assert.equal(await status(given('if-none-match', `"x", W/${tag}`)), '304');
  assert.equal(await status(given('if-none-match', '"x"')), '200');
  assert.equal(await status(given('if-modified-since', since)), '304');
  const before = new Date(Date.parse(since) - 1_000).toUTCString();
  assert.equal(await status(given('if-modified-since', before)), '200');
  addCertified(lab, 'bad');
  revoke(lab, 'bad');
  lab.clock.ms += 1_000;
  assert.equal(await status(given('if-none-match', tag)), '200');
});

test('there are no other lists, and no other methods', async (t) => {
  const lab = await relyingLab(t);
  const status = (path: string, options = ''): Promise<string> =>
    curl(lab, path, `--output /dev/null --write-out '%{http_code}' ${options}`);
  const { issuerKeyId } = addCertified(lab, 'a');
  const label = issuerKeyId?.slice(0, 8);
  for (const path of ['devices', 'devices-0', 'devices-255', `devices-${label}`]) {
    assert.equal(await status(`/crl/${path}.crl`), '200', path);
  }
  for (const path of ['devices-256', 'devices-00000000', 'servers', 'devices-0-0']) {
    assert.equal(await status(`/crl/${path}.crl`), '404', path);
  }
  assert.equal(await status('/crl/devices.crl', '--request POST --data x'), '405');
  assert.equal(await status('/ocsp'), '405');
  assert.equal(await status('/ocsp', '--data-binary x'), '415');
  const type = "--header 'content-type: application/ocsp-request'";
  assert.equal(await status('/ocsp', `${type} --data-binary @<(head -c 4096 /dev/zero)`), '200');
  assert.equal(await status('/ocsp', `${type} --data-binary @<(head -c 4097 /dev/zero)`), '413');
});

test('openssl ocsp asks over HTTPS and verifies the answer with issuer and anchor alone', async (t) => {
  const lab = await relyingLab(t);
  addCertified(lab, 'good');
  addCertified(lab, 'bad');
  revoke(lab, 'bad', 'keyCompromise');
  const ask = (options: string): Promise<{ stdout: string; stderr: string }> =>
    lab.shell(
      `openssl ocsp -issuer ca.pem ${options} -CAfile root.pem ` +
        `-url https://localhost:${lab.port}/ocsp`,
    );
  const both = await ask('-cert good.pem -cert bad.pem -serial 0x0102');
  assert.match(both.stderr, /Response verify OK/u);
  assert.match(both.stdout, /good\.pem: good/u);
  assert.match(both.stdout, /bad\.pem: revoked/u);
  assert.match(both.stdout, /Reason: keyCompromise/u);
  assert.match(both.stdout, /0x0102: unknown/u);
  const sha256 = await ask('-sha256 -cert good.pem');
  assert.match(sha256.stderr + sha256.stdout, /Response verify OK[^]*good\.pem: good/u);
  // A certificate of the root is not for this responder to judge.
  const foreign = await lab.shell(
    `openssl ocsp -issuer root.pem -cert ca.pem -CAfile root.pem ` +
      `-url https://localhost:${lab.port}/ocsp`,
  );
  assert.match(foreign.stdout + foreign.stderr, /unauthorized \(6\)/u);
});

test('a request in the path is answered, and may be kept while it has no nonce', async (t) => {
  const lab = await relyingLab(t);
  addCertified(lab, 'good');
  const get = async (nonce: string, escaping: string): Promise<string> => {
    const { stdout } = await lab.shell(
      `openssl ocsp ${nonce} -issuer ca.pem -cert good.pem -reqout request.der &&
       base64 -w0 request.der | ${escaping}`,
    );
    return curl(lab, `/ocsp/${stdout}`, '--dump-header headers --output answer.der');
  };
  const escape = 'sed "s,/,%2F,g; s,+,%2B,g; s,=,%3D,g"';
  for (const escaping of [escape, 'cat', 'tr -d =']) {
    await get('-no_nonce', escaping);
    const { stdout, stderr } = await lab.shell(
      `openssl ocsp -reqin request.der -respin answer.der -issuer ca.pem -cert good.pem \\
         -CAfile root.pem; cat headers`,
    );
    assert.match(stderr, /Response verify OK/u);
    assert.match(stdout, /good\.pem: good/u);
    assert.match(stdout, /cache-control: public, max-age=60/iu);
  }
  await get('-nonce', escape);
  const { stdout } = await lab.shell('cat headers');
  assert.match(stdout, /cache-control: no-store/iu);
  lab.reports.length = 0;
  await curl(lab, '/ocsp/%25%00', '--output answer.der');
  const bad = await lab.shell('openssl ocsp -respin answer.der -text');
  assert.match(bad.stdout + bad.stderr, /malformedrequest \(1\)/u);
  assert.deepEqual(
    lab.reports.map(({ refusal, address }) => [refusal.code, address]),
    [['E_ENROLL_OCSP', '127.0.0.1']],
  );
});

test('requests of one network are limited within a minute', async (t) => {
  const lab = await relyingLab(t);
  // One process for all: curl numbers the requests of a pattern.
  const statuses = async (count: number): Promise<Map<string, number>> => {
    const all = await curl(
      lab,
      `/crl/devices.crl?[1-${count}]`,
      "--head --output /dev/null --write-out '%{http_code}\\n'",
    );
    const counts = Map.groupBy(all.trim().split('\n'), (code) => code);
    return new Map([...counts].map(([code, { length }]) => [code, length]));
  };
  assert.deepEqual([...(await statuses(REVOCATION_REQUESTS_MAX))], [['200', 600]]);
  assert.deepEqual([...(await statuses(2))], [['429', 2]]);
  assert.equal(lab.reports.at(-1)?.refusal.code, 'E_ENROLL_REVOCATION_RATE');
  lab.clock.ms += REVOCATION_WINDOW_MS;
  assert.deepEqual([...(await statuses(1))], [['200', 1]]);
});

test('no more answers are signed in a second than the limit, for all together', async (t) => {
  const lab = await relyingLab(t);
  const { serial } = addCertified(lab, 'good');
  const revocations = new Revocations({ ...lab, enrollUrl: () => '' });
  await lab.shell('openssl ocsp -issuer ca.pem -cert good.pem -reqout request.der');
  const request = present(parseOcspRequest(readFileSync(join(lab.folder, 'request.der'))));
  assert.equal(request.certificates[0]?.serial, serial);
  const lengths = new Set<number>();
  for (let count = 0; count < OCSP_SIGNATURES_PER_SECOND_MAX; count += 1) {
    lengths.add(revocations.ocsp(request).length);
  }
  assert.ok(Math.min(...lengths) > 100, 'all were signed');
  assert.equal(Buffer.from(revocations.ocsp(request)).toString('hex'), '30030a0103', 'try later');
  lab.clock.ms += 1_000;
  assert.ok(revocations.ocsp(request).length > 100);
});
