/**
 * A generation whose root is offline: the server asks with PKCS#10 requests, whoever has the root
 * signs, and the server takes only what says exactly what its own profiles say.
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import type { KeyHandle } from '../crypto/index.ts';
import { ISSUING_ROLES } from './authority-material.ts';
import { certificatePem, saysTheSame, spkiOf, subjectOf } from './certificate.ts';
import { parseCsr } from './csr.ts';
import { ECDSA_WITH_SHA256, bitString } from './der-values.ts';
import { SEQUENCE, element } from './der.ts';
import { type ByRole, type IssuingDeps, byRole, signGeneration } from './generations.ts';
import { type GenerationName, ISSUING_PROFILES } from './profiles.ts';

/**
 * A certificate request in PEM. Its subject is empty: whoever signs takes the key alone.
 * @see RFC 2986
 */
export function certificateRequestPem(key: KeyHandle): string {
  const info = element(SEQUENCE, VERSION_0, element(SEQUENCE), spkiOf(key), NO_ATTRIBUTES);
  const request = element(SEQUENCE, info, ECDSA_WITH_SHA256, bitString(key.sign(info)));
  const lines = Buffer.from(request).toString('base64').replaceAll(/.{64}/gu, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----\n`;
}

/**
 * Signs the requests of a generation with the root.
 * @param requests - PKCS#10 in PEM; each proves that its key is held.
 * @returns certificates in PEM, or `E_ENROLL_CSR` or `E_ENROLL_KEY`.
 */
export function signRequests(
  requests: ByRole<string>,
  {
    root,
    ...signing
  }: IssuingDeps &
    GenerationName & {
      readonly root: { readonly certificate: X509Certificate; readonly key: KeyHandle };
    },
): ByRole<string> | Refusal {
  const parsed = byRole((role) => parseCsr(requests[role]));
  const { devices, servers, apps } = parsed;
  if (devices instanceof Refusal) return devices;
  if (servers instanceof Refusal) return servers;
  if (apps instanceof Refusal) return apps;
  const spkis = { devices: devices.spkiDer, servers: servers.spkiDer, apps: apps.spkiDer };
  const signingRoot = { certificateDer: root.certificate.raw, key: root.key };
  const certificates = signGeneration(spkis, { ...signing, root: signingRoot });
  return byRole((role) => certificatePem(certificates[role]));
}

/** Against what the certificates of a generation are checked. */
export interface ExpectedGeneration extends GenerationName {
  readonly root: X509Certificate;
  /** The keys that were asked for, SubjectPublicKeyInfo in DER. */
  readonly spkis: ByRole<Uint8Array>;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Checks what an offline root has signed, before any of it is trusted.
 * @param certificates - PEM, one for each role.
 * @returns the certificates in DER, or `E_OPERATE_INPUT`.
 */
export function checkSigned(
  certificates: ByRole<string>,
  expected: ExpectedGeneration,
): ByRole<Uint8Array> | Refusal {
  for (const role of ISSUING_ROLES) {
    const certificate = read(certificates[role]);
    if (certificate === undefined) return problem(role, 'is no certificate in PEM');
    if (!certificate.verify(expected.root.publicKey)) return problem(role, 'is not of our root');
    const spki = expected.spkis[role];
    const template = ISSUING_PROFILES[role]({ spki, nowMs: expected.nowMs }, expected);
    const issuer = {
      name: subjectOf(expected.root.raw),
      spki: expected.root.publicKey.export({ format: 'der', type: 'spki' }),
    };
    if (!saysTheSame(certificate.raw, template, issuer)) {
      return problem(
        role,
        'does not say what was asked for: sign with the same version of Holdfast',
      );
    }
    if (!isLivingLong(certificate, expected)) return problem(role, 'does not live long enough');
  }
  return byRole((role) => new X509Certificate(certificates[role]).raw);
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** It counts by now, for a year at least, and not longer than the root. */
function isLivingLong(
  { validFromDate, validToDate }: X509Certificate,
  { root, nowMs }: ExpectedGeneration,
): boolean {
  const endMs = validToDate.getTime();
  if (validFromDate.getTime() > nowMs || endMs > root.validToDate.getTime()) return false;
  return endMs >= Math.min(nowMs + LIFE_MS_MIN, root.validToDate.getTime());
}

function problem(role: string, what: string): Refusal {
  return refuse('E_OPERATE_INPUT', `the certificate for ${role} ${what}`);
}

const LIFE_MS_MIN = 365 * 86_400_000;
const VERSION_0 = Buffer.from('020100', 'hex');
/** `[0] IMPLICIT SET OF Attribute`, empty. */
const NO_ATTRIBUTES = Buffer.from('a000', 'hex');
