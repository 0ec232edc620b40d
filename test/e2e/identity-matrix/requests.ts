/** Certificate requests by openssl, good and bad. @module */
import { readFileSync } from 'node:fs';
import type { Forge } from './forge.ts';

/** What is wrong with a request, the request in base64, and the code. */
export type WrongRequest = readonly [what: string, csr: string, code: string];

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** Makes a request for a new key. */
export function makeRequest(forge: Forge, options: readonly string[] = []): Buffer {
  const key = options.includes('-newkey') || options.includes('-key') ? [] : P256;
  const subject = options.includes('-subj') ? [] : ['-subj', '/CN=pump-1'];
  const files = options.includes('-key') ? [] : ['-keyout', 'asked.key'];
  const base = ['req', '-new', '-utf8', '-nodes', '-outform', 'DER'];
  forge.openssl(...base, ...key, ...subject, ...options, ...files, '-out', 'asked.der');
  return readFileSync(forge.path('asked.der'));
}

/** Requests that only the holder of a good claim hears about. */
export function wrongRequests(forge: Forge): WrongRequest[] {
  const key = 'E_ENROLL_KEY';
  const keys = [
    ['P-224', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-224']],
    ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['secp256k1', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1']],
    ['RSA 1024', ['-newkey', 'rsa:1024']],
    ['RSA 2048', ['-newkey', 'rsa:2048']],
    ['Ed25519', ['-newkey', 'ed25519']],
    ['P-256, its curve spelled out', [...P256, '-pkeyopt', 'ec_param_enc:explicit']],
    ['P-256, compressed point', ['-key', compressedKey(forge)]],
  ] as const;
  const made = keys.map(([what, options]): WrongRequest => [
    `CSR: ${what}`,
    makeRequest(forge, options).toString('base64'),
    key,
  ]);
  return [...made, ...damagedRequests(forge)];
}

function compressedKey(forge: Forge): string {
  const [plain, compressed] = ['plain.key', 'compressed.key'];
  forge.openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', plain);
  forge.openssl('ec', '-in', plain, '-conv_form', 'compressed', '-out', compressed);
  return compressed;
}

function damagedRequests(forge: Forge): WrongRequest[] {
  const good = makeRequest(forge);
  const other = makeRequest(forge);
  const at = pointOf(good);
  const point = (csr: Buffer): Buffer => csr.subarray(pointOf(csr), pointOf(csr) + POINT_BYTES);
  const swapped = Buffer.from(good);
  point(other).copy(swapped, at);
  const offCurve = Buffer.from(good);
  offCurve.fill(0x5a, at + 1, at + POINT_BYTES);
  const renamed = Buffer.from(good);
  renamed.write('pump-2', renamed.indexOf('pump-1'), 'latin1');
  const csr = 'E_ENROLL_CSR';
  return [
    ['CSR: a point that is on no curve', offCurve.toString('base64'), 'E_ENROLL_KEY'],
    ["CSR: proof of possession of somebody else's key", swapped.toString('base64'), csr],
    ['CSR: changed after it was signed', renamed.toString('base64'), csr],
    ['CSR: signed with SHA-1', makeRequest(forge, ['-sha1']).toString('base64'), csr],
    ['CSR: bytes behind it', Buffer.concat([good, Buffer.of(0)]).toString('base64'), csr],
    ['CSR: 9,000 bytes', 'A'.repeat(9_000), csr],
    ['CSR: nothing', '', csr],
  ];
}

/** Where the point of a P-256 key begins: behind the name of its curve. */
function pointOf(csr: Buffer): number {
  return csr.indexOf(CURVE) + CURVE.length + BIT_STRING_HEAD_BYTES;
}

/** Requests that ask for more than a certificate of their key, and get no more than that. */
export function greedyRequests(forge: Forge): (readonly [what: string, csr: string])[] {
  const names = (text: string): string[] => ['-addext', `subjectAltName=${text}`];
  const many = Array.from({ length: 150 }, (_, n) => `DNS:h${n}.example.com`).join(',');
  const wishes = [
    ['subject of another device', ['-subj', '/CN=pump-2']],
    ['subject with control characters', ['-subj', '/CN=pump-1\u0001\u001B[2J']],
    ['subject of 64 wildcards', ['-subj', `/CN=${'*'.repeat(64)}`]],
    ['SAN of another device', names('URI:urn:holdfast:default:pump-2')],
    ['SAN of hosts', names('DNS:*.example.com,IP:192.0.2.1,email:root@example.com')],
    ['150 SANs', names(many)],
    ['SAN of 3,000 characters', names(`URI:urn:holdfast:default:${'x'.repeat(3_000)}`)],
    ['SAN with NUL', ['-addext', 'subjectAltName=DER:30:08:86:06:70:75:6d:70:00:31']],
    ['to be a CA', ['-addext', 'basicConstraints=critical,CA:TRUE']],
    ['to be a server', ['-addext', 'extendedKeyUsage=serverAuth']],
    ['an unknown critical extension', ['-addext', '1.2.3.4=critical,ASN1:UTF8String:x']],
  ] as const;
  return wishes.map(([what, options]) => [
    `CSR asks: ${what}`,
    makeRequest(forge, options).toString('base64'),
  ]);
}

/** The object identifier of P-256 in DER. */
const CURVE = Buffer.from('06082a8648ce3d030107', 'hex');
/** Tag, length and unused bits. */
const BIT_STRING_HEAD_BYTES = 3;
const POINT_BYTES = 65;
