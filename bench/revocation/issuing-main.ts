/**
 * Certificates, revocation lists and OCSP answers without a network. A process of its own; takes
 * its job as an argument, prints its figures as JSON. Started by `bench/revocation.ts`.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal, parseDeviceId, parseTenantName } from '@holdfast/protocol';
import { generatePrivateKey, softwareKeyHandle } from '../../packages/server/src/crypto/index.ts';
import { systemClock, systemRandom } from '../../packages/server/src/kernel/index.ts';
import {
  OCSP_LIFE_MS,
  RevocationList,
  certificatePem,
  createAuthority,
  openAuthority,
  parseOcspRequest,
  revocationIssuer,
  signOcspAnswer,
} from '../../packages/server/src/pki/index.ts';

const ISSUED = 2_000;
const ANSWERED = 5_000;
const PARTITIONS = 256;
const DAY_MS = 86_400_000;

/** Rows of the table: what was measured, with its figures as text. */
export type IssuingFigures = Readonly<Record<string, Readonly<Record<string, string>>>>;

const { folder, revoked } = JSON.parse(process.argv[2] ?? '') as {
  folder: string;
  revoked: number;
};
const clock = systemClock;
// A list is signed at most once a second: the bench moves its time instead of waiting.
const time = { ms: clock.nowMs() };
const movedClock = { ...clock, nowMs: () => time.ms };
const deps = { clock, random: systemRandom, tenant: good(parseTenantName('default')) };
const authority = openAuthority(createAuthority(deps), deps);
const [signer] = authority.devicesIssuers();
if (signer === undefined) throw new Error('an authority issues');
const issuer = revocationIssuer(signer);

const figures: IssuingFigures = { ...issue(), ...list(), ...answer() };
process.stdout.write(JSON.stringify(figures));

function issue(): IssuingFigures {
  const spki = newSpki();
  const deviceId = good(parseDeviceId('thermostat-00001'));
  const one = (): Uint8Array =>
    authority.issueDevice({ spki, tenant: deps.tenant, deviceId, lifeMs: 90 * DAY_MS }).der;
  const plainBytes = one().length;
  authority.announceRevocation('https://hub.example.org:8444');
  const namedBytes = one().length;
  const us = usEach(ISSUED, one);
  return {
    'certificate issued': { ...rate(us), bytes: String(namedBytes) },
    '  without CDP and AIA': { bytes: String(plainBytes) },
  };
}

function list(): IssuingFigures {
  const before = memory();
  const revocations = new RevocationList({
    issuer,
    clock: movedClock,
    baseUrl: () => 'https://hub.example.org:8444',
  });
  const put = (): void =>
    revocations.put({
      serial: `01${randomBytes(16).toString('hex')}`,
      notAfterMs: time.ms + 90 * DAY_MS,
      revokedAtMs: time.ms,
      reason: 'superseded',
    });
  const filled = timed(() => {
    for (let at = 0; at < revoked; at += 1) put();
  });
  const first = timed(() => revocations.complete());
  const bytes = first.result.der.length;
  const again = worstOf(10, () => {
    put();
    time.ms += 1_000;
    return () => revocations.complete();
  });
  const kept = memory() - before;
  const partition = timed(() => {
    for (let at = 0; at < PARTITIONS; at += 1) revocations.partition(at);
  });
  const path = join(folder, 'list.crl');
  writeFileSync(path, first.result.der);
  const openssl = timed(() =>
    execFileSync('openssl', ['crl', '-inform', 'DER', '-in', path, '-noout']),
  );
  const partitionBytes = revocations.partition(0)?.der.length ?? 0;
  return {
    [`list of ${revoked}`]: {
      'ms to fill': filled.ms.toFixed(0),
      'ms first time': first.ms.toFixed(1),
      'ms after one more': again.toFixed(1),
      MB: (bytes / 1e6).toFixed(2),
      'MB of memory with it': (kept / 1e6).toFixed(1),
      'ms in openssl crl': openssl.ms.toFixed(0),
    },
    [`one of ${PARTITIONS} partitions`]: {
      'ms each': (partition.ms / PARTITIONS).toFixed(2),
      kB: (partitionBytes / 1_000).toFixed(1),
      'MB of memory with all': ((memory() - before) / 1e6).toFixed(1),
    },
  };
}

function answer(): IssuingFigures {
  const path = (name: string): string => join(folder, name);
  const deviceId = good(parseDeviceId('thermostat-00001'));
  const spki = newSpki();
  const { der } = authority.issueDevice({ spki, tenant: deps.tenant, deviceId, lifeMs: DAY_MS });
  writeFileSync(path('ca.pem'), authority.devicesCaPem);
  writeFileSync(path('leaf.pem'), certificatePem(der));
  const args = 'ocsp -issuer ca.pem -cert leaf.pem -reqout request.der'.split(' ');
  execFileSync('openssl', args, { cwd: folder });
  const bytes = readFileSync(path('request.der'));
  const us = usEach(ANSWERED, () => {
    const { certificates, nonce } = good(parseOcspRequest(bytes));
    const answers = certificates.map(({ der: id }) => ({ id, status: { kind: 'good' } as const }));
    const times = { thisUpdateMs: time.ms, nextUpdateMs: time.ms + OCSP_LIFE_MS };
    signOcspAnswer({ certificates: answers, nonce, ...times }, issuer);
  });
  return { 'OCSP answer with nonce': rate(us) };
}

function newSpki(): Uint8Array {
  const key = softwareKeyHandle('ES256', generatePrivateKey('ES256'));
  return key.publicKey.export({ format: 'der', type: 'spki' });
}

function rate(us: number): Record<string, string> {
  return { 'a second': (1e6 / us).toFixed(0), 'µs each': us.toFixed(0) };
}

/** The mean, after a tenth as many for warming up. */
function usEach(count: number, act: () => unknown): number {
  for (let at = 0; at < count / 10; at += 1) act();
  const { ms } = timed(() => {
    for (let at = 0; at < count; at += 1) act();
  });
  return (1_000 * ms) / count;
}

function worstOf(count: number, prepare: () => () => unknown): number {
  return Math.max(...Array.from({ length: count }, () => timed(prepare()).ms));
}

function timed<T>(act: () => T): { ms: number; result: T } {
  const startMs = performance.now();
  const result = act();
  return { ms: performance.now() - startMs, result };
}

/** What is in use after everything that can be freed was freed. */
function memory(): number {
  // What a buffer kept outside of the heap is freed a little later.
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function good<T>(value: T | Refusal): T {
  if (value instanceof Refusal) throw new Error(value.detail);
  return value;
}
