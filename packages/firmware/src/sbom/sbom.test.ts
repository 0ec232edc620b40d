import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { cvss3Score } from './cvss3.ts';
import { isAffected, packageKey, readOsv, readPurl, readSbom, readZip } from './index.ts';
import type { OsvRecord } from './index.ts';
import { OSV_RECORD_BYTES_MAX, SBOM_BYTES_MAX, SBOM_COMPONENTS_MAX } from './limits.ts';
import { SBOM_DEPTH_MAX } from './limits.ts';
import { packageOrder, semverOrder } from './version-order.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-sbom-'));
after(() => rmSync(folder, { recursive: true }));

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const bom = (components: unknown, specVersion = '1.6') =>
  readSbom(bytesOf({ bomFormat: 'CycloneDX', specVersion, components }));

function assertRefused(outcome: unknown, code: string, detail = /./u): void {
  assert.ok(outcome instanceof Refusal);
  assert.equal(outcome.code, code);
  assert.match(outcome.detail, detail);
}

function osv(record: Record<string, unknown>): OsvRecord {
  const read = readOsv(bytesOf({ id: 'GHSA-1', ...record }));
  assert.ok(!(read instanceof Refusal), read instanceof Refusal ? read.detail : '');
  return read;
}

test('components are read, nested ones as well', () => {
  const hashes = [{ alg: 'SHA-256', content: 'AB'.repeat(32) }];
  const inner = { type: 'library', name: 'zlib', version: '1.3', purl: 'pkg:deb/debian/zlib@1.3' };
  for (const version of ['1.4', '1.5', '1.6']) {
    const read = bom([{ type: 'application', name: 'app', hashes, components: [inner] }], version);
    assert.ok(!(read instanceof Refusal));
    assert.deepEqual(
      read.components.map(({ name, version, purl }) => [name, version, purl]),
      [
        ['app', undefined, undefined],
        ['zlib', '1.3', 'pkg:deb/debian/zlib@1.3'],
      ],
    );
    assert.equal(read.components[0]?.hashes.get('SHA-256'), 'ab'.repeat(32));
  }
  assert.ok(!(bom(undefined) instanceof Refusal));
});

test('what is no CycloneDX of these versions is refused', () => {
  for (const version of ['1.3', '1.7', '2.0']) assertRefused(bom([], version), 'E_UPDATE_SBOM');
  assertRefused(readSbom(bytesOf({ spdxVersion: 'SPDX-2.3' })), 'E_UPDATE_SBOM');
  assertRefused(readSbom(Buffer.from('{')), 'E_UPDATE_SBOM');
  assertRefused(readSbom(Buffer.from([0x22, 0xff, 0x22])), 'E_UPDATE_SBOM');
  assertRefused(bom([{ version: '1' }]), 'E_UPDATE_SBOM', /no name/u);
});

test('both sides of the limits of a bill', () => {
  const many = (count: number) => Array.from({ length: count }, () => ({ name: 'a' }));
  assert.ok(!(bom(many(SBOM_COMPONENTS_MAX)) instanceof Refusal));
  assertRefused(bom(many(SBOM_COMPONENTS_MAX + 1)), 'E_UPDATE_SBOM');
  const within = bom([{ name: 'a', components: many(SBOM_COMPONENTS_MAX - 1) }]);
  assert.ok(!(within instanceof Refusal));
  assertRefused(bom([{ name: 'a', components: many(SBOM_COMPONENTS_MAX) }]), 'E_UPDATE_SBOM');
  const nest = (depth: number): unknown[] =>
    depth === 0 ? [] : [{ name: 'a', components: nest(depth - 1) }];
  assert.ok(!(bom(nest(SBOM_DEPTH_MAX)) instanceof Refusal));
  assertRefused(bom(nest(SBOM_DEPTH_MAX + 1)), 'E_UPDATE_SBOM', /nested/u);
  assertRefused(readSbom(Buffer.alloc(SBOM_BYTES_MAX + 1, 0x20)), 'E_UPDATE_SBOM', /more than/u);
});

test('package URLs name a package as its vulnerabilities do', () => {
  const names = [
    ['pkg:npm/lodash@4.17.20', 'npm/lodash', '4.17.20'],
    ['pkg:npm/%40angular/core@12.0.0', 'npm/@angular/core', '12.0.0'],
    ['pkg:pypi/Django_Rest@3.1', 'PyPI/django-rest', '3.1'],
    ['pkg:maven/org.apache/log4j@2.14?type=jar', 'Maven/org.apache:log4j', '2.14'],
    ['pkg:golang/github.com/a/b@v1.2.3#sub', 'Go/github.com/a/b', 'v1.2.3'],
    [
      'pkg:deb/debian/curl@7.88.1-10%2Bdeb12u4?distro=debian-12',
      'Debian/curl',
      '7.88.1-10+deb12u4',
    ],
    [
      'pkg:deb/debian/libssl3@3.0.9-1?upstream=openssl%403.0.9&distro=bookworm',
      'Debian/openssl',
      '3.0.9-1',
    ],
    ['pkg:apk/alpine/musl@1.2.4-r1?distro=alpine-3.19.1', 'Alpine/musl', '1.2.4-r1'],
  ] as const;
  for (const [purl, key, version] of names) {
    const read = readPurl(purl);
    assert.ok(read !== undefined, purl);
    assert.deepEqual([packageKey(read), read.version], [key, version]);
  }
  assert.equal(readPurl('pkg:deb/debian/curl@1?distro=debian-12.5')?.release, '12');
  assert.equal(readPurl('pkg:apk/alpine/musl@1?distro=alpine-3.19.1')?.release, '3.19');
  assert.equal(packageKey({ ecosystem: 'Debian:12', name: 'curl' }), 'Debian/curl');
  assert.equal(packageKey({ ecosystem: 'Alpine:v3.19', name: 'musl' }), 'Alpine/musl');
  for (const purl of ['', 'pkg:npm/lodash', 'pkg:generic/a@1', 'pkg:npm/%zz@1', 'npm/a@1']) {
    assert.equal(readPurl(purl), undefined, purl);
  }
});

test('ranges of Semantic Versioning say what is affected', () => {
  const events = [{ introduced: '1.0.0' }, { fixed: '1.2.0' }, { introduced: '2.0.0-rc.1' }];
  const record = osv({
    aliases: ['CVE-2026-1'],
    summary: 'It leaks.',
    affected: [
      {
        package: { ecosystem: 'npm', name: 'left' },
        ranges: [
          { type: 'GIT', repo: 'https://example.com', events: [{ introduced: '0' }] },
          { type: 'SEMVER', events: [...events, { last_affected: '2.1.0' }].toReversed() },
        ],
        versions: ['0.1.0'],
      },
    ],
    database_specific: { severity: 'MODERATE' },
  });
  const [first] = record.affected;
  assert.equal(first?.key, 'npm/left');
  assert.deepEqual([first.advisory.severity, first.advisory.aliases], ['medium', ['CVE-2026-1']]);
  const affected = ['1.0.0', '1.1.9', '2.0.0-rc.1', '2.0.0', '2.1.0', '0.1.0', '1.2.0-beta', 'odd'];
  for (const version of affected) assert.ok(isAffected(first.advisory, { version }), version);
  for (const version of ['0.9.9', '1.2.0', '1.9.0', '2.0.0-beta', '2.1.1']) {
    assert.ok(!isAffected(first.advisory, { version }), version);
  }
});

test('each release of a distribution has its own fix', () => {
  const affected = [
    ['Debian:11', '7.74.0-1.3+deb11u10'],
    ['Debian:12', '7.88.1-10+deb12u5'],
  ].map(([ecosystem, fixed]) => ({
    package: { ecosystem, name: 'curl' },
    ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
  }));
  const advisories = osv({ affected }).affected.map(({ advisory }) => advisory);
  const count = (version: string, release?: string): number =>
    advisories.filter((one) => isAffected(one, { version, ...(release && { release }) })).length;
  assert.equal(count('7.88.1-10+deb12u4', '12'), 1);
  assert.equal(count('7.88.1-10+deb12u5', '12'), 0);
  assert.equal(count('7.74.0-1.3+deb11u10', '11'), 0);
  assert.equal(count('7.74.0-1.3+deb11u9'), 2);
});

test('how bad it is comes of the score, or of the word', () => {
  const severity = (score: string): unknown =>
    osv({
      severity: [{ type: 'CVSS_V3', score }],
      affected: [{ package: { ecosystem: 'npm', name: 'a' } }],
    }).affected[0]?.advisory.severity;
  assert.equal(severity('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'), 'critical');
  assert.equal(severity('CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N'), 'low');
  assert.equal(severity('nonsense'), 'unknown');
});

test('scores are those of the examples of FIRST', () => {
  const scores = [
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
    ['CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
    ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
    ['CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H', 7.8],
    ['CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
    ['CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5],
    ['CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
  ] as const;
  for (const [vector, score] of scores) assert.equal(cvss3Score(vector), score, vector);
  for (const vector of [
    '',
    'CVSS:3.1/AV:N',
    'CVSS:2.0/AV:N',
    'CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  ]) {
    assert.equal(cvss3Score(vector), undefined);
  }
});

test('versions are ordered as Semantic Versioning says', () => {
  const order =
    '1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.10.0 2';
  const versions = order.split(' ');
  for (const [index, one] of versions.entries()) {
    for (const [at, other] of versions.entries()) {
      assert.equal(Math.sign(semverOrder(one, other) ?? Number.NaN), Math.sign(index - at));
    }
  }
  assert.equal(semverOrder('v1.2.3+build', '1.2.3'), 0);
  assert.equal(semverOrder('one', '1'), undefined);
});

test('versions of packages are ordered as dpkg does', () => {
  const versions = fc.stringMatching(/^[0-9][0-9a-z.+~]{0,8}(?:-[0-9a-z.+~]{1,4})?$/u);
  const epoch = fc.constantFrom('', '0:', '1:');
  const version = fc.tuple(epoch, versions).map((parts) => parts.join(''));
  fc.assert(
    fc.property(version, version, (one, other) => {
      const dpkg = (relation: string): boolean =>
        spawnSync('dpkg', ['--compare-versions', one, relation, other]).status === 0;
      const expected = dpkg('lt') ? -1 : Number(dpkg('gt'));
      assert.equal(Math.sign(packageOrder(one, other) ?? Number.NaN), expected);
    }),
    {
      numRuns: 60,
      examples: [
        ['2-+', '2a'],
        ['1.0~rc1', '1.0'],
        ['1.0-1', '1.0'],
      ],
    },
  );
});

test('a zip of records is read, and a broken one is refused', () => {
  const names = ['GHSA-1.json', 'GHSA-2.json'];
  for (const [index, name] of names.entries()) {
    writeFileSync(
      join(folder, name),
      JSON.stringify({ id: `GHSA-${index}`, details: 'x'.repeat(500) }),
    );
  }
  const make = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as file:
    for name in sys.argv[2:]: file.write(name)
    file.writestr("stored.json", "{}", zipfile.ZIP_STORED)`;
  execFileSync('python3', ['-c', make, 'all.zip', ...names], { cwd: folder });
  const bytes = readFileSync(join(folder, 'all.zip'));
  const files = readZip(bytes);
  assert.ok(!(files instanceof Refusal));
  assert.deepEqual(files.map(({ name }) => name), [...names, 'stored.json']); // prettier-ignore
  const records = files.slice(0, 2).map(({ content }) => {
    const read = content();
    return read instanceof Refusal ? read : readOsv(read);
  });
  assert.deepEqual(records.map((read) => (read instanceof Refusal ? read.detail : read.id)), ['GHSA-0', 'GHSA-1']); // prettier-ignore
  for (let index = 0; index < bytes.length; index += 1) {
    const broken = Buffer.from(bytes);
    broken[index] = (broken[index] ?? 0) ^ 0xff;
    for (const given of [broken, bytes.subarray(0, index)]) {
      const read = readZip(given);
      if (!(read instanceof Refusal)) for (const { content } of read) content();
    }
  }
});

test('a record that is too large, and one without id, are refused', () => {
  const large = Buffer.alloc(OSV_RECORD_BYTES_MAX + 1, 0x20);
  assertRefused(readOsv(large), 'E_UPDATE_ADVISORIES', /more than/u);
  assertRefused(readOsv(bytesOf({ affected: [] })), 'E_UPDATE_ADVISORIES', /id/u);
  assert.equal(osv({ withdrawn: '2026-01-01T00:00:00Z' }).isWithdrawn, true);
});

test('random JSON and random bytes never throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json().map((text) => Buffer.from(text)),
        fc.uint8Array(),
      ),
      (bytes) => {
        for (const read of [readSbom, readOsv, readZip]) read(bytes);
      },
    ),
    { numRuns: 300 },
  );
  const event = fc.dictionary(fc.constantFrom('introduced', 'fixed', 'last_affected'), fc.string());
  const range = fc.record({
    type: fc.constantFrom('SEMVER', 'ECOSYSTEM'),
    events: fc.array(event),
  });
  fc.assert(
    fc.property(fc.array(range), fc.string(), (ranges, version) => {
      const read = osv({ affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges }] });
      for (const { advisory } of read.affected) isAffected(advisory, { version });
      readPurl(`pkg:npm/${version}@${version}`);
      cvss3Score(version);
    }),
  );
});
