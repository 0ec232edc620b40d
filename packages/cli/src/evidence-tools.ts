/** Hashes, signatures and certificates for the check of evidence, by OpenSSL in node:crypto. @module */
import { X509Certificate } from 'node:crypto';
import type { EvidenceCertificate, EvidenceTools } from '@holdfast/protocol';
import { Problem, parseCosignerKey, parseVerifierKey } from '@holdfast/protocol/merkle';
import type { NoteVerifier, VerifierKey } from '@holdfast/protocol/merkle';
import { Failure } from './failure.ts';
import { sha256, verifyEd25519 } from './note-crypto.ts';

/**
 * The tools for a check.
 * @param keys - public keys as text: of the log, and of witnesses.
 * @throws Failure `E_CLI_KEY` when one of them is none.
 */
export function evidenceTools({
  log,
  witnesses,
}: {
  log: string;
  witnesses: readonly string[];
}): EvidenceTools {
  return {
    sha256,
    log: verifierOf(parseVerifierKey(sha256, log.trim()), 'key of the log'),
    witnesses: witnesses.map((text) =>
      verifierOf(parseCosignerKey(sha256, text.trim()), 'key of a witness'),
    ),
    readCertificate,
  };
}

function verifierOf(key: VerifierKey | Problem, what: string): NoteVerifier {
  if (key instanceof Problem) {
    throw new Failure('E_CLI_KEY', {
      what: `That is no ${what}.`,
      why: key.problem,
      fix: 'Give the whole line as it was printed, or @FILE with it.',
    });
  }
  return { ...key, verify: verifyEd25519 };
}

function readCertificate(der: Uint8Array): EvidenceCertificate | undefined {
  const certificate = parsed(der);
  if (certificate === undefined) return undefined;
  const names = (certificate.subjectAltName ?? '').split(', ');
  const uris = names.filter((name) => name.startsWith('URI:'));
  return {
    uri: uris.length === 1 ? uris[0]?.slice('URI:'.length) : undefined,
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    isIssuedBy: (issuerDer) => {
      const issuer = parsed(issuerDer);
      return (
        issuer?.ca === true &&
        certificate.checkIssued(issuer) &&
        certificate.verify(issuer.publicKey)
      );
    },
  };
}

function parsed(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}
