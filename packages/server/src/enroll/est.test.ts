/** EST over real TLS, with curl and openssl: renewal, IDevID, forms of requests and answers. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { prepareSignedJson } from '@holdfast/protocol';
import { parseManufacturerPem } from '../pki/index.ts';
import { type ListeningLab, openListeningLab, present } from './lab.testing.ts';
import { RENEWALS_PER_DEVICE_MAX, SUPERSEDED_PATIENCE_MS, WRONG_PER_DEVICE_MAX } from './limits.ts';

const NEW_KEY = 'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=x';

/** What curl got. */
interface Answer {
  readonly status: string;
  readonly body: string;
  readonly headers: string;
}

/** A lab with the trust anchor, and a device whose key and certificate are `a.key` and `a.pem`. */
async function openEnrolled(t: TestContext): Promise<ListeningLab> {
  const lab = await openListeningLab(t);
  await shell(lab, 'cat > root.pem', lab.authority.anchorPem);
  await newKey(lab, 'a');
  const { secret } = lab.claim(lab.addDevice('a'));
  const options = '--config - -H "Content-Type: application/pkcs10"';
  const path = 'est/simpleenroll';
  const answer = await call(lab, { path, options, post: 'a.b64' }, `user="a:${secret.expose()}"`);
  assert.equal(answer.status, '200', answer.body);
  await keep(lab, 'a', answer);
  return lab;
}

async function shell(lab: ListeningLab, script: string, input = ''): Promise<string> {
  const { code, stdout, stderr } = await lab.shell(`set -e -o pipefail\n${script}`, input);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Makes `name.key`, and its request as `name.der` and `name.b64`. */
async function newKey(lab: ListeningLab, name: string): Promise<void> {
  await shell(
    lab,
    `${NEW_KEY} -keyout ${name}.key -outform DER > ${name}.der; base64 -w0 ${name}.der > ${name}.b64`,
  );
}

/** Keeps the certificate of an answer as `name.pem`. */
async function keep(lab: ListeningLab, name: string, { body }: Answer): Promise<void> {
  const toPem = 'openssl pkcs7 -inform DER -print_certs | openssl x509';
  await shell(lab, `base64 -d | ${toPem} > ${name}.pem`, body);
}

async function call(
  lab: ListeningLab,
  { path, options = '', post }: { path: string; options?: string; post?: string },
  input = '',
): Promise<Answer> {
  const data = post === undefined ? '' : `--data-binary @${post}`;
  const url = `https://localhost:${lab.port}/.well-known/${path}`;
  const status = await shell(
    lab,
    `curl -sS --cacert root.pem -D headers -o body -w '%{http_code}' ${options} ${data} ${url}`,
    input,
  );
  const read = (name: string): string => readFileSync(join(lab.folder, name), 'utf8');
  return { status, body: read('body'), headers: read('headers').toLowerCase() };
}

const PKCS10 = "-H 'Content-Type: application/pkcs10'";

/** Renews with a certificate and key of the lab. */
function reenroll(
  lab: ListeningLab,
  { by = 'a', request = 'b.b64', options = PKCS10 } = {},
): Promise<Answer> {
  const identity = `--cert ${by}.pem --key ${by}.key`;
  const path = 'est/simplereenroll';
  return call(lab, { path, options: `${identity} ${options}`, post: request });
}

/** First use of a certificate. */
function pins(lab: ListeningLab, by: string): Promise<Answer> {
  return call(lab, { path: 'holdfast/pins', options: `--cert ${by}.pem --key ${by}.key` });
}

function codes({ reports }: ListeningLab): string[] {
  return reports.map(({ refusal }) => refusal.code);
}

test('a renewal in every form of a request gives the same certificate', async (t) => {
  const lab = await openEnrolled(t);
  await newKey(lab, 'b');
  await shell(
    lab,
    `base64 -w 64 b.der > b.lf; sed 's/$/\\r/' b.lf > b.crlf; fold -w 76 b.b64 > b.fold
     openssl req -inform DER -in b.der -out b.pem; printf '  %s\\n\\n' "$(cat b.b64)" > b.space`,
  );
  const first = await reenroll(lab);
  assert.equal(first.status, '200', first.body);
  const encodings = ['base64', 'binary', 'Base64', ''].map(
    (value) => `-H 'Content-Transfer-Encoding: ${value}'`,
  );
  for (const form of ['b64', 'lf', 'crlf', 'fold', 'space', 'pem', 'der']) {
    const again = await reenroll(lab, { request: `b.${form}` });
    assert.deepEqual([again.status, again.body], ['200', first.body], form);
  }
  const headers = encodings.map((encoding) => `${PKCS10} ${encoding}`);
  for (const options of [...headers, "-H 'Content-Type: application/PKCS10; charset=x'"]) {
    assert.equal((await reenroll(lab, { options })).status, '200', options);
  }
  assert.equal(lab.registry.certificatesOf('a').length, 2);
  const renewals = lab.acts.filter(({ action }) => action === 'device.renew');
  assert.deepEqual(
    renewals.map(({ facts }) => facts?.['isRepeated']),
    [false, ...renewals.slice(1).map(() => true)],
  );
  assert.deepEqual(renewals[0]?.facts?.['ignored'], ['subject CN=x']);
  assert.deepEqual(lab.reports, []);
});

test('answers are base64 on one line, as strict readers want it [RFC 8951 §3.1]', async (t) => {
  const lab = await openEnrolled(t);
  await newKey(lab, 'b');
  const answers = [
    await call(lab, { path: 'est/cacerts' }),
    await call(lab, { path: 'est/csrattrs' }),
    await reenroll(lab),
  ];
  const types = [
    'pkcs7-mime; smime-type=certs-only',
    'csrattrs',
    'pkcs7-mime; smime-type=certs-only',
  ];
  for (const [at, { status, body, headers }] of answers.entries()) {
    assert.equal(status, '200');
    assert.match(body, /^[A-Za-z0-9+/]+={0,2}$/u);
    assert.ok(!body.endsWith('\n'));
    assert.ok(headers.includes(`content-type: application/${types[at]}\r\n`), headers);
    assert.match(headers, /content-transfer-encoding: base64\r\n/u);
  }
});

test('wrong methods and content types are told', async (t) => {
  const lab = await openEnrolled(t);
  await newKey(lab, 'b');
  for (const [path, method, allow] of [
    ['cacerts', 'POST', 'get, head'],
    ['csrattrs', 'DELETE', 'get, head'],
    ['simpleenroll', 'GET', 'post'],
    ['simplereenroll', 'PUT', 'post'],
  ] as const) {
    const answer = await call(lab, { path: `est/${path}`, options: `-X ${method}` });
    assert.equal(answer.status, '405', path);
    assert.ok(answer.headers.includes(`allow: ${allow}\r\n`), path);
  }
  const head = await call(lab, { path: 'est/cacerts', options: '--head' });
  assert.equal(head.status, '200');
  for (const type of [
    'application/x-www-form-urlencoded',
    'application/json',
    'application/pkcs10x',
  ]) {
    const answer = await reenroll(lab, { options: `-H 'Content-Type: ${type}'` });
    assert.equal(answer.status, '415', type);
    assert.match(answer.body, /application\/pkcs10/u);
  }
  assert.equal((await reenroll(lab, { options: "-H 'Content-Type:'" })).status, '200');
});

test('without an accepted certificate every renewal has the same answer', async (t) => {
  const lab = await openEnrolled(t);
  await newKey(lab, 'b');
  await shell(
    lab,
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout f.key -out f.pem \\
       -subj /CN=a -addext subjectAltName=URI:urn:holdfast:default:a`,
  );
  const path = 'est/simplereenroll';
  const answers = [
    await call(lab, { path, options: PKCS10, post: 'b.b64' }),
    await reenroll(lab, { by: 'f' }),
  ];
  lab.registry.changeState('a', { act: 'revoke', by: 'local', reason: 'stolen' });
  answers.push(await reenroll(lab));
  for (const { status, body } of answers) {
    assert.deepEqual([status, body], ['403', 'The certificate is not accepted.\n']);
  }
  assert.deepEqual(codes(lab), [
    'E_SESSION_NO_CERTIFICATE',
    'E_SESSION_FOREIGN_CA',
    'E_SESSION_REVOKED',
  ]);
  assert.equal(lab.reports[1]?.claimed, 'CN=a');
});

test('what is wrong with a request is told to the device', async (t) => {
  const lab = await openEnrolled(t);
  const same = await reenroll(lab, { request: 'a.b64' });
  assert.equal(same.status, '400');
  assert.match(
    same.body,
    /^E_ENROLL_KEY: it is the key of the present certificate; make a new one/u,
  );
  await shell(lab, 'echo garbage > garbage');
  const garbage = await reenroll(lab, { request: 'garbage' });
  assert.match(garbage.body, /^E_ENROLL_CSR: /u);
  assert.deepEqual(codes(lab), ['E_ENROLL_KEY', 'E_ENROLL_CSR']);
  assert.equal(lab.reports[0]?.principal, 'a');
});

test('a clone that renews is found, and its device stopped as its class says', async (t) => {
  const lab = await openEnrolled(t);
  await newKey(lab, 'b');
  await newKey(lab, 'clone');
  await keep(lab, 'b', await reenroll(lab));
  assert.equal((await pins(lab, 'b')).status, '200');
  const refused = async (): Promise<string> => {
    const { status, body } = await reenroll(lab, { request: 'clone.b64' });
    assert.deepEqual([status, body], ['403', 'The certificate is not accepted.\n']);
    return codes(lab).at(-1) ?? '';
  };
  assert.equal(await refused(), 'E_SESSION_SUPERSEDED');
  lab.clock.ms += SUPERSEDED_PATIENCE_MS;
  lab.classSettings.set('sensor', { onClone: 'report' });
  assert.equal(await refused(), 'E_ENROLL_CLONE');
  assert.equal(lab.registry.byId('a')?.state, 'claimed');
  lab.classSettings.set('sensor', { onClone: 'quarantine' });
  assert.equal(await refused(), 'E_ENROLL_CLONE');
  assert.equal(lab.registry.byId('a')?.state, 'quarantined');
  const { action, principal, target, facts } = lab.acts.at(-1) ?? {};
  assert.deepEqual([action, principal, target], ['device.quarantine', 'server', 'a']);
  assert.equal(facts?.['finding'], 'E_ENROLL_CLONE');
  assert.equal((await pins(lab, 'b')).status, '401', 'the device itself is stopped, too');
  const before = lab.acts.length;
  assert.equal(await refused(), 'E_ENROLL_CLONE');
  assert.equal(lab.acts.length, before, 'it is not stopped twice');
});

test('renewals of a device are limited, and a repetition is none [E_ENROLL_RATE]', async (t) => {
  const lab = await openEnrolled(t);
  for (let n = 0; n < RENEWALS_PER_DEVICE_MAX; n += 1) {
    await newKey(lab, `n${n}`);
    assert.equal((await reenroll(lab, { request: `n${n}.b64` })).status, '200');
  }
  const last = `n${RENEWALS_PER_DEVICE_MAX - 1}.b64`;
  assert.equal((await reenroll(lab, { request: last })).status, '200');
  await newKey(lab, 'b');
  assert.equal((await reenroll(lab)).status, '429');
  assert.deepEqual(codes(lab), ['E_ENROLL_RATE']);
  lab.clock.ms += 3_600_000;
  assert.equal((await reenroll(lab)).status, '200');
});

test('the pin set is signed for the device, and for nobody without a certificate', async (t) => {
  const lab = await openEnrolled(t);
  const { status, body, headers } = await pins(lab, 'a');
  assert.equal(status, '200');
  assert.match(headers, /content-type: application\/json/u);
  const { sig, ...set } = JSON.parse(body);
  const device = lab.registry.byId('a');
  assert.ok(device);
  const { commandKey } = lab.payloadKeys.of(device);
  const { signedBytes } = prepareSignedJson(set);
  const expected = createHmac('sha256', commandKey.expose()).update(signedBytes).digest('hex');
  assert.equal(sig, expected);
  assert.deepEqual(Object.keys(set).sort(), ['notBefore', 'pins', 'version']);
  assert.ok(Number.isSafeInteger(set.version));
  const shown = await shell(
    lab,
    `openssl s_client -connect localhost:${lab.port} < /dev/null 2> /dev/null |
       openssl x509 -noout -fingerprint -sha256 | cut -d= -f2 | tr -d :`,
  );
  assert.equal(set.pins[0].certificate, shown.trim().toLowerCase());
  assert.equal((await call(lab, { path: 'holdfast/pins' })).status, '401');
  assert.equal((await call(lab, { path: 'holdfast/pins', options: '-X POST' })).status, '405');
  assert.deepEqual(codes(lab), ['E_SESSION_NO_CERTIFICATE']);
});

/** Makes a manufacturer's authority, and an IDevID as `maker-1.pem` with the serial AC-1. */
async function openMaker(t: TestContext): Promise<ListeningLab> {
  const lab = await openListeningLab(t);
  await shell(lab, 'cat > root.pem', lab.authority.anchorPem);
  await shell(
    lab,
    `openssl req -x509 -newkey rsa:2048 -noenc -keyout maker.key -out maker.pem -subj /CN=maker -days 30 2> log
     printf 'basicConstraints=CA:FALSE\\nkeyUsage=critical,digitalSignature\\n' > ext
     for n in 1 2; do
       ${NEW_KEY} -keyout maker-$n.key -subj /serialNumber=AC-$n -out req.pem 2> log
       openssl x509 -req -in req.pem -CA maker.pem -CAkey maker.key -set_serial 0x0$n -days 10 \\
         -sha256 -extfile ext -out maker-$n.pem 2> log
     done`,
  );
  const certificates = present(
    parseManufacturerPem(readFileSync(join(lab.folder, 'maker.pem'), 'utf8')),
  );
  present(lab.manufacturers.add({ name: 'acme', certificates }));
  // The clock of the lab stands still since before the certificates were made, however long ago.
  lab.clock.ms = Date.now();
  await newKey(lab, 'one');
  await newKey(lab, 'two');
  return lab;
}

function enrollByIdevid(lab: ListeningLab, by: string, request: string): Promise<Answer> {
  const options = `--cert ${by}.pem --key ${by}.key ${PKCS10}`;
  return call(lab, { path: 'est/simpleenroll', options, post: `${request}.b64` });
}

test('an allowed IDevID enrolls its device once, and the same key again for a while', async (t) => {
  const lab = await openMaker(t);
  lab.addDevice('pump-1');
  const allowed = {
    deviceId: 'pump-1',
    manufacturer: 'acme',
    kind: 'serial',
    serial: 'AC-1',
  } as const;
  present(lab.manufacturers.allow(allowed));
  const first = await enrollByIdevid(lab, 'maker-1', 'one');
  assert.equal(first.status, '200', first.body);
  await keep(lab, 'one', first);
  const names = await shell(lab, 'openssl x509 -in one.pem -noout -ext subjectAltName');
  assert.match(names, /URI:urn:holdfast:default:pump-1/u);
  assert.equal((await pins(lab, 'one')).status, '200', 'it is an operational certificate');
  const [act] = lab.acts;
  assert.deepEqual([act?.action, act?.facts?.['by']], ['device.enroll', 'IDevID']);
  const again = await enrollByIdevid(lab, 'maker-1', 'one');
  assert.deepEqual([again.status, again.body], ['200', first.body]);
  assert.equal((await enrollByIdevid(lab, 'maker-1', 'two')).status, '401');
  lab.clock.ms += 10 * 60_000;
  assert.equal((await enrollByIdevid(lab, 'maker-1', 'one')).status, '401');
  assert.deepEqual(codes(lab), ['E_ENROLL_IDEVID_USED', 'E_ENROLL_IDEVID_USED']);
  assert.equal(lab.registry.byId('pump-1')?.payloadKeyGeneration, 1);
  present(lab.manufacturers.allow(allowed));
  assert.equal((await enrollByIdevid(lab, 'maker-1', 'two')).status, '200');
});

test('an IDevID that is not allowed is refused as a wrong claim is, and as often', async (t) => {
  const lab = await openMaker(t);
  lab.addDevice('pump-1');
  const identity = { manufacturer: 'acme', kind: 'certificate-serial', serial: '2' } as const;
  present(lab.manufacturers.allow({ deviceId: 'pump-1', ...identity }));
  for (let n = 0; n < WRONG_PER_DEVICE_MAX; n += 1) {
    const { status, body } = await enrollByIdevid(lab, 'maker-1', 'one');
    assert.deepEqual([status, body], ['401', 'The claim is not accepted.\n']);
  }
  assert.equal((await enrollByIdevid(lab, 'maker-1', 'one')).status, '429');
  assert.deepEqual(new Set(codes(lab)), new Set(['E_ENROLL_IDEVID', 'E_ENROLL_RATE']));
  assert.match(lab.reports[0]?.refusal.detail ?? '', /AC-1 in its subject, 1 of the certificate/u);
  // A right one goes through all the same.
  assert.equal((await enrollByIdevid(lab, 'maker-2', 'two')).status, '200');
  lab.registry.changeState('pump-1', { act: 'revoke', by: 'local', reason: 'stolen' });
  assert.equal((await enrollByIdevid(lab, 'maker-2', 'two')).status, '401');
  assert.equal(lab.manufacturers.allowanceOf('pump-1'), undefined, 'a revocation voids it');
});

test('without its manufacturer an IDevID is a stranger', async (t) => {
  const lab = await openMaker(t);
  lab.addDevice('pump-1');
  const identity = { manufacturer: 'acme', kind: 'serial', serial: 'AC-1' } as const;
  present(lab.manufacturers.allow({ deviceId: 'pump-1', ...identity }));
  assert.ok(lab.manufacturers.remove('acme'));
  assert.equal((await enrollByIdevid(lab, 'maker-1', 'one')).status, '401');
  assert.match(lab.reports[0]?.refusal.detail ?? '', /no manufacturer/u);
  const renewal = await reenroll(lab, { by: 'maker-1', request: 'one.b64' });
  assert.equal(renewal.status, '403');
  assert.equal(codes(lab).at(-1), 'E_SESSION_FOREIGN_CA');
});

test('what a class asks for beside the certificate is asked for at every door', async (t) => {
  const lab = await openEnrolled(t);
  const { apiKeys, classSettings, registry } = lab;
  const made = await apiKeys.make('a', {});
  assert.equal(apiKeys.keep(made, 0), undefined);
  classSettings.set('sensor', { requiresApiKey: true });
  await shell(lab, 'cat > key.header', `x-holdfast-api-key: ${made.key.expose()}\n`);
  await shell(lab, 'cat > wrong.header', `x-holdfast-api-key: hfk_${'A'.repeat(43)}\n`);
  const [right, wrong] = ['-H @key.header', '-H @wrong.header'];
  const get = async (path: string, header = '', by = 'a'): Promise<string> => {
    const options = `--cert ${by}.pem --key ${by}.key ${header}`;
    const url = `https://localhost:${lab.port}/${path}`;
    return shell(lab, `curl -sS --cacert root.pem -o body -w '%{http_code}' ${options} ${url}`);
  };
  const keys = 'v1/device/payload-keys';
  const pinSet = '.well-known/holdfast/pins';
  assert.equal(await get(keys), '200', 'its bundle, into which the key goes, is not there yet');
  present(registry.changeState('a', { act: 'activate', by: 'a', reason: 'connected' }));
  for (const path of [keys, pinSet]) {
    assert.equal(await get(path), '401', path);
    assert.equal(await get(path, wrong), '401', path);
    assert.equal(await get(path, right), '200', path);
  }
  await newKey(lab, 'b');
  assert.equal((await reenroll(lab)).status, '403');
  assert.equal((await reenroll(lab, { options: `${PKCS10} ${wrong}` })).status, '403');
  assert.equal(registry.certificatesOf('a').length, 1, 'nothing was issued');
  const answer = await reenroll(lab, { options: `${PKCS10} ${right}` });
  assert.equal(answer.status, '200');
  await keep(lab, 'b', answer);
  const states = (): string[] => registry.certificatesOf('a').map(({ status }) => status);
  assert.equal(await get(pinSet, '', 'b'), '401');
  assert.deepEqual(states(), ['current', 'pending'], 'without the key it is not used');
  assert.equal(await get(pinSet, right, 'b'), '200');
  assert.deepEqual(states(), ['superseded', 'current']);
  assert.deepEqual(new Set(codes(lab)), new Set(['E_SESSION_API_KEY']));
  // An ended certificate alone stops nobody's device.
  lab.clock.ms += SUPERSEDED_PATIENCE_MS;
  assert.equal((await reenroll(lab)).status, '403');
  assert.equal(registry.byId('a')?.state, 'active');
  assert.equal((await reenroll(lab, { options: `${PKCS10} ${right}` })).status, '403');
  assert.equal(registry.byId('a')?.state, 'quarantined');
});

test('a clone is on the log also when the disk fails to stop its device', async (t) => {
  const lab = await openEnrolled(t);
  await newKey(lab, 'b');
  await keep(lab, 'b', await reenroll(lab));
  assert.equal((await pins(lab, 'b')).status, '200');
  lab.clock.ms += SUPERSEDED_PATIENCE_MS;
  const change = lab.registry.changeState.bind(lab.registry);
  lab.registry.changeState = (...args) => {
    change(...args);
    throw new Error('the disk is gone');
  };
  assert.equal((await reenroll(lab)).status, '503');
  assert.equal(lab.registry.byId('a')?.state, 'quarantined');
  assert.equal(lab.acts.at(-1)?.action, 'device.quarantine');
});
