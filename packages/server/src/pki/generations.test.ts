import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { Refusal, parseAppId } from '@holdfast/protocol';
import { GeneralName } from '@peculiar/asn1-x509';
import { generatePrivateKey, softwareCustody, softwareKeyHandle } from '../crypto/index.ts';
import { systemRandom } from '../kernel/index.ts';
import type { AuthorityMaterial, AuthorityV1Material } from './authority-material.ts';
import { Authority } from './authority.ts';
import { certificatePem, signCertificate, spkiOf, subjectOf } from './certificate.ts';
import { checkClientCertificate } from './check-client-certificate.ts';
import {
  createAuthority,
  finished,
  makeKeys,
  nextGeneration,
  signGeneration,
  spkisOf,
  switched,
  upgradeAuthority,
  withNext,
} from './generations.ts';
import {
  ManualClock,
  NOW_MS,
  type OpensslLab,
  codeOf,
  deviceId,
  opensslLab,
  present,
  tenantName,
} from './openssl.testing.ts';
import { ISSUING_PROFILES, appProfile, deviceProfile, serverProfile } from './profiles.ts';

const DAY_MS = 86_400_000;
const tenant = tenantName('default');
const deps = { clock: new ManualClock(), random: systemRandom, tenant };

function newSpki(): Uint8Array {
  return spkiOf(softwareKeyHandle('ES256', generatePrivateKey('ES256')));
}

function rootOf({ root }: AuthorityMaterial) {
  const key = softwareCustody.open(root.key ?? assert.fail('the root is offline'));
  return { certificateDer: Buffer.from(root.certificate, 'base64'), key };
}

/** The material with a next generation. */
function prepared(material: AuthorityMaterial, generation = 2): AuthorityMaterial {
  const keys = makeKeys(generation);
  const signing = { ...deps, root: rootOf(material), generation };
  const certificates = signGeneration(spkisOf(keys), signing);
  return present(
    withNext(material, nextGeneration(material, { keys, certificates, madeAtMs: NOW_MS })),
  );
}

function states({ generations }: AuthorityMaterial): string {
  return generations.map(({ number, state }) => `${number} ${state}`).join(', ');
}

function deviceOf(authority: Authority): X509Certificate {
  const device = { tenant, deviceId: deviceId('a'), lifeMs: DAY_MS };
  return new X509Certificate(authority.issueDevice({ ...device, spki: newSpki() }).der);
}

test('a generation goes through its life, and certificates count as long as it is trusted', () => {
  const first = createAuthority(deps);
  const authority = new Authority(first, deps);
  const check = (peer: X509Certificate): unknown =>
    checkClientCertificate(peer, { authority, tenant, nowMs: NOW_MS });
  const old = deviceOf(authority);
  const oldCa = authority.devicesCa.raw;

  const second = prepared(first);
  assert.equal(states(second), '1 issuing, 2 next');
  authority.adopt(second);
  assert.deepEqual(authority.devicesCa.raw, oldCa, 'the old one goes on to issue');
  assert.equal(authority.caCertificates.length, 3, 'root, present and next');
  assert.deepEqual(authority.caCertificates[1]?.raw, oldCa, 'the one that issues comes first');
  assert.equal(authority.devicesIssuers().length, 1);

  const third = present(switched(second));
  assert.equal(states(third), '1 trusted, 2 issuing');
  authority.adopt(third);
  const young = deviceOf(authority);
  assert.notDeepEqual(authority.devicesCa.raw, oldCa);
  assert.deepEqual(authority.caCertificates[1]?.raw, authority.devicesCa.raw);
  assert.deepEqual(
    authority.devicesIssuers().map(({ certificate }) => certificate.subject),
    ['CN=Holdfast default devices 2', 'CN=Holdfast default devices 1'],
  );
  for (const peer of [old, young]) assert.ok(!(check(peer) instanceof Refusal));

  const fourth = present(finished(third));
  assert.equal(states(fourth), '1 ended, 2 issuing');
  assert.ok(!JSON.stringify(fourth.generations[0]).includes('pkcs8'), 'its keys are gone');
  authority.adopt(fourth);
  assert.equal(codeOf(check(old)), 'E_SESSION_FOREIGN_CA');
  assert.match((check(old) as Refusal).detail, /generation 1/u);
  assert.ok(!(check(young) instanceof Refusal));
  assert.equal(authority.caCertificates.length, 2);
  assert.equal(authority.devicesIssuers().length, 1);
});

test('every step out of its turn is refused [E_OPERATE_CONFLICT]', () => {
  const first = createAuthority(deps);
  const second = prepared(first);
  const third = present(switched(second));
  const [next = assert.fail('none')] = second.generations.slice(1);
  assert.equal(codeOf(switched(first)), 'E_OPERATE_CONFLICT');
  assert.equal(codeOf(finished(first)), 'E_OPERATE_CONFLICT');
  assert.equal(codeOf(withNext(second, next)), 'E_OPERATE_CONFLICT');
  assert.equal(codeOf(finished(second)), 'E_OPERATE_CONFLICT');
  assert.equal(codeOf(withNext(third, next)), 'E_OPERATE_CONFLICT');
  assert.equal(codeOf(switched(third)), 'E_OPERATE_CONFLICT');
  assert.equal(states(prepared(present(finished(third)), 3)), '1 ended, 2 issuing, 3 next');
});

test('the first version is taken up: the same root, the same issuers, and one for apps', () => {
  const now = createAuthority(deps);
  const [generation = assert.fail('none')] = now.generations;
  const old = (one: { certificate: string; key?: AuthorityMaterial['root']['key'] }) => ({
    certificate: one.certificate,
    key: one.key?.kind === 'sealed' ? one.key.pkcs8 : assert.fail('not sealed'),
  });
  const v1: AuthorityV1Material = {
    version: 1,
    root: old(now.root),
    devices: old(generation.devices),
    servers: old(generation.servers),
  };
  const taken = upgradeAuthority(v1, deps);
  assert.equal(states(taken), '1 issuing');
  assert.equal(taken.generations[0]?.madeAtMs, NOW_MS - 60_000);
  assert.deepEqual(taken.root, now.root);
  assert.deepEqual(taken.generations[0]?.devices, generation.devices);
  const authority = new Authority(taken, deps);
  const app = { tenant, appId: present(parseAppId('phone')), lifeMs: DAY_MS };
  const issued = new X509Certificate(authority.issueApp({ ...app, spki: newSpki() }).der);
  assert.equal(issued.subjectAltName, 'URI:urn:holdfast:default:app:phone');
  assert.equal(upgradeAuthority(taken, deps), taken);
});

test('an app is no device, though its certificate is ours [E_SESSION_PURPOSE]', () => {
  const authority = new Authority(createAuthority(deps), deps);
  const app = { tenant, appId: present(parseAppId('phone')), lifeMs: DAY_MS };
  const peer = new X509Certificate(authority.issueApp({ ...app, spki: newSpki() }).der);
  const found = checkClientCertificate(peer, { authority, tenant, nowMs: NOW_MS });
  assert.equal(codeOf(found), 'E_SESSION_PURPOSE');
});

/** What openssl says of a leaf below an issuing authority. */
function verdict(
  lab: OpensslLab,
  chain: { leaf: Uint8Array; issuers: string; anchor: string },
  purpose: 'sslclient' | 'sslserver',
): string {
  lab.write('leaf.pem', certificatePem(chain.leaf));
  lab.write('issuers.pem', chain.issuers);
  lab.write('root.pem', chain.anchor);
  const { isOk, stderr } = lab.openssl(
    `verify -x509_strict -check_ss_sig -attime ${NOW_MS / 1000} -purpose ${purpose} ` +
      '-CAfile root.pem -untrusted issuers.pem leaf.pem',
  );
  return isOk ? 'ok' : stderr;
}

const NAMES = {
  urn: new GeneralName({ uniformResourceIdentifier: 'urn:holdfast:default:thermostat-1' }),
  dns: new GeneralName({ dNSName: 'broker.example.org' }),
  ipv4: new GeneralName({ iPAddress: '192.0.2.1' }),
};

for (const role of ['devices', 'servers', 'apps'] as const) {
  test(`openssl obeys the constraints of the authority of ${role}`, (context) => {
    const lab = opensslLab(context);
    const material = createAuthority(deps);
    const authority = new Authority(material, deps);
    const member = material.generations[0]?.[role] ?? assert.fail('none');
    const der = Buffer.from(member.certificate, 'base64');
    const key = softwareCustody.open(member.key ?? assert.fail('no key'));
    const issuer = { name: subjectOf(der), key };
    const input = { spki: newSpki(), nowMs: NOW_MS };
    const template = {
      devices: deviceProfile(input, { tenant, id: deviceId('thermostat-1'), lifeMs: DAY_MS }),
      servers: serverProfile(input, { names: ['broker.example.org'] }),
      apps: appProfile(input, { tenant, id: present(parseAppId('phone')), lifeMs: DAY_MS }),
    }[role];
    const [purpose, foreign] =
      role === 'servers'
        ? (['sslserver', [NAMES.urn]] as const)
        : (['sslclient', [NAMES.dns, NAMES.ipv4]] as const);
    const judge = (changes: Partial<typeof template>, issuers = certificatePem(der)): string => {
      const { der: leaf } = signCertificate({ ...template, ...changes }, { issuer, ...deps });
      return verdict(lab, { leaf, issuers, anchor: authority.anchorPem }, purpose);
    };
    assert.equal(judge({}), 'ok');
    for (const name of foreign) {
      const alternativeNames = [...template.alternativeNames, name];
      assert.match(judge({ alternativeNames }), /subtree violation|unsupported.*name/iu);
    }

    // Path length 0: an authority below this one is none, whatever it signs.
    const below = softwareKeyHandle('ES256', generatePrivateKey('ES256'));
    const name = { tenant, generation: 9 };
    const subCa = ISSUING_PROFILES[role]({ spki: spkiOf(below), nowMs: NOW_MS }, name);
    const { der: subDer } = signCertificate(subCa, { issuer, ...deps });
    const { der: leaf } = signCertificate(template, {
      issuer: { name: subjectOf(subDer), key: below },
      ...deps,
    });
    const issuers = certificatePem(der) + certificatePem(subDer);
    const found = verdict(lab, { leaf, issuers, anchor: authority.anchorPem }, purpose);
    assert.match(found, /path length/iu);
  });
}
