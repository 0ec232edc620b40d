/**
 * EST by clients of others, on a server in a process of its own: strongSwan's `pki`, and curl with
 * openssl. Each one fetches the trust anchors, enrolls, renews, and publishes with what it got.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CertificateView } from '@holdfast/protocol/api';
import {
  type Run,
  type ServerProcess,
  run,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const GUIDE = join(import.meta.dirname, '../../docs/guides/enrollment.md');

interface Lab {
  readonly server: ServerProcess;
  readonly folder: string;
  readonly url: string;
  /** Runs a script in the folder; it stops at the first failure. */
  readonly shell: (script: string, input?: string) => Promise<Run>;
  /** As {@link shell}; gives what it printed, and fails the test when it failed. */
  readonly must: (script: string, input?: string) => Promise<string>;
  /** Adds a device; gives the secret of its claim. */
  readonly claim: (id: string) => Promise<string>;
  readonly statuses: (id: string) => Promise<CertificateView['status'][]>;
  /** Codes of all refusals so far. */
  readonly refusals: () => Promise<string[]>;
}

/** strongSwan offers no TLS 1.3 unless it is told to. */
const STRONGSWAN = 'pki {\n  tls {\n    version_max = 1.3\n  }\n}\n';

async function openLab(t: TestContext): Promise<Lab> {
  const folder = temporaryFolder(t);
  const server = await startServer(t, { dataDir: join(folder, 'data') });
  const api = server.client();
  t.after(() => api.close());
  const url = `https://localhost:${server.ports.enroll}`;
  writeFileSync(join(folder, 'strongswan.conf'), STRONGSWAN);
  const env = {
    ...process.env,
    STRONGSWAN_CONF: join(folder, 'strongswan.conf'),
    SERVER: `localhost:${server.ports.enroll}`,
    URL: url,
  };
  const shell = (script: string, input?: string): Promise<Run> =>
    run('bash', ['-c', `set -e -o pipefail\n${script}`], { cwd: folder, env, input });
  const must = async (script: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await shell(script, input);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    return stdout;
  };
  writeFileSync(join(folder, 'root.pem'), await must(anchorOf(server)));
  return {
    server,
    folder,
    url,
    shell,
    must,
    claim: async (id) => (await api.addDevice({ id, class: 'sensor' })).claim.secret,
    statuses: async (id) => (await api.device(id)).certificates.map(({ status }) => status),
    refusals: async () => (await api.refusals({ limit: 1_000 })).map(({ code }) => code),
  };
}

/** Out of band: the command line of the server's machine has the trust anchor. */
function anchorOf({ dataDir }: ServerProcess): string {
  return `python3 -c 'import json; print(json.load(open("${dataDir}/cli.json"))["anchorPem"])'`;
}

/** Connects with a certificate as the broker sees it, which is its first use. */
async function connectWith({ must, server }: Lab, name: string, id: string): Promise<void> {
  const { broker } = server.ports;
  const identity = `--cert ${name}.crt --key ${name}.key -i ${id}`;
  await must(
    `mosquitto_sub --cafile root.pem -h localhost -p ${broker} ${identity} -V 5 -t d/${id}/cmd/# -E`,
  );
}

const request = (name: string): string =>
  `pki --gen --type ecdsa --size 256 --outform pem > ${name}.key
   pki --req --type priv --in ${name}.key --dn CN=x --san evil.example --outform der > ${name}.req`;

test('strongSwan: cacerts, simpleenroll with a claim, simplereenroll with its certificate', async (t) => {
  const lab = await openLab(t);
  const { must, shell } = lab;
  await must('pki --estca --url $URL --cacert root.pem --caout ca.pem --outform pem');
  assert.ok(readFileSync(join(lab.folder, 'ca-1.pem'), 'utf8').includes('BEGIN CERTIFICATE'));
  const est = 'pki --est --url $URL --cacert root.pem --cacert ca-1.pem --outform pem';

  const secret = await lab.claim('pump-1');
  await must(request('one'));
  await must(`${est} --in one.req --userpass "pump-1:$(cat)" > one.crt`, secret);
  await must('openssl verify -CAfile root.pem -untrusted ca-1.pem one.crt');
  const names = await must('openssl x509 -in one.crt -noout -ext subjectAltName');
  assert.match(names, /URI:urn:holdfast:default:pump-1\n/u);
  assert.doesNotMatch(names, /evil/u);

  await must(request('two'));
  await must(`${est} --in two.req --cert one.crt --key one.key > two.crt`);
  await must('openssl verify -CAfile root.pem -untrusted ca-1.pem two.crt');
  assert.deepEqual(await lab.statuses('pump-1'), ['current', 'pending']);
  const renewed = await must(`${est} --in two.req --cert one.crt --key one.key`);
  assert.equal(renewed, readFileSync(join(lab.folder, 'two.crt'), 'utf8'), 'the same once more');
  await connectWith(lab, 'one', 'pump-1');
  assert.deepEqual(await lab.statuses('pump-1'), ['current', 'pending']);
  await connectWith(lab, 'two', 'pump-1');
  assert.deepEqual(await lab.statuses('pump-1'), ['superseded', 'current']);
  assert.deepEqual(await lab.refusals(), []);

  await must(request('three'));
  const late = await shell(`${est} --in three.req --cert one.crt --key one.key`);
  assert.notEqual(late.code, 0);
  const wrong = await shell(`${est} --in three.req --userpass pump-1:wrong`);
  assert.notEqual(wrong.code, 0);
  await waitFor('the refusals', async () => (await lab.refusals()).length === 2);
  assert.deepEqual(await lab.refusals(), ['E_ENROLL_CLAIM', 'E_SESSION_SUPERSEDED']);
});

/** The shell commands of a section of the guide. */
function guideBlock(heading: string): string {
  const section = readFileSync(GUIDE, 'utf8')
    .split(/^## /mu)
    .find((text) => text.startsWith(heading));
  const block = /```sh\n([^]*?)```/u.exec(section ?? '')?.[1];
  assert.ok(block !== undefined, `the guide has no commands under "${heading}"`);
  return block;
}

test('curl and openssl: csrattrs, and the renewal as the guide has it', async (t) => {
  const lab = await openLab(t);
  const { must, server } = lab;
  const types = await must(
    `curl -sS --fail --cacert root.pem $URL/.well-known/est/csrattrs | openssl base64 -d -A |
       openssl asn1parse -inform DER | sed -n 's/.*OBJECT *://p'`,
  );
  assert.deepEqual(types.trim().split('\n'), ['id-ecPublicKey', 'prime256v1', 'ecdsa-with-SHA256']);

  const secret = await lab.claim('pump-1');
  await must(
    `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.key
     openssl req -new -key client.key -subj /CN=pump-1 -outform DER | base64 -w0 > request.b64
     printf 'user = "pump-1:%s"' "$(cat)" | curl -sS --fail --config - --cacert root.pem \\
       -H 'Content-Type: application/pkcs10' --data-binary @request.b64 $URL/.well-known/est/simpleenroll |
       openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs | openssl x509 -out client.crt
     cp root.pem ca.crt; cp client.crt first.crt; cp client.key first.key`,
    secret,
  );
  await must(guideBlock('Renewal'));
  assert.deepEqual(await lab.statuses('pump-1'), ['superseded', 'current']);
  await must('cp client.crt second.crt; cp client.key second.key');
  await connectWith(lab, 'second', 'pump-1');
  const { broker } = server.ports;
  const old = await lab.shell(
    `mosquitto_sub --cafile root.pem -h localhost -p ${broker} --cert first.crt --key first.key -i pump-1 -t x -E`,
  );
  assert.notEqual(old.code, 0);
  await waitFor('the refusal', async () => (await lab.refusals()).includes('E_SESSION_SUPERSEDED'));
});

test('an IDevID of a manufacturer enrolls the device that it is allowed for', async (t) => {
  const lab = await openLab(t);
  const { must, server } = lab;
  await must(
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout maker.key \\
       -out maker.pem -subj '/O=Acme/CN=devices' -days 30
     openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout idevid.key \\
       -subj /O=Acme/serialNumber=AC-004711 -out idevid.csr
     printf 'basicConstraints=CA:FALSE\\nkeyUsage=critical,digitalSignature\\n' > ext
     openssl x509 -req -in idevid.csr -CA maker.pem -CAkey maker.key -set_serial 7 -days 9 -extfile ext -out idevid.pem
     openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout op.key -subj /CN=x -outform DER |
       base64 -w0 > op.b64`,
  );
  await lab.claim('pump-1');
  const cli = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await server.cli(args);
    assert.equal(code, 0, stderr);
  };
  await cli('manufacturer', 'add', 'acme', '--ca', join(lab.folder, 'maker.pem'));
  const allowed = ['--manufacturer', 'acme', '--serial', 'AC-004711'];
  await cli('device', 'allow-idevid', 'pump-1', ...allowed);
  await must(
    `curl -sS --fail --cacert root.pem --cert idevid.pem --key idevid.key \\
       -H 'Content-Type: application/pkcs10' --data-binary @op.b64 $URL/.well-known/est/simpleenroll |
       openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs | openssl x509 -out op.crt
     curl -sS --fail --cacert root.pem --cert op.crt --key op.key $URL/v1/device/payload-keys`,
  );
  await connectWith(lab, 'op', 'pump-1');
  assert.deepEqual(await lab.refusals(), []);
});
