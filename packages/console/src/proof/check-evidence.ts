/** Checks a bundle of evidence in the browser, with the code that the command line uses. @module */
import { type EvidenceVerdict, checkEvidence } from '@holdfast/protocol';
import type { Evidence } from '@holdfast/protocol/api';
import { Problem, parseVerifierKey } from '@holdfast/protocol/merkle';
import { Ahead } from './ahead.ts';
import { isIssuedBy, readCertificate } from './certificate.ts';
import { verifiesEd25519 } from './ed25519.ts';
import { sha256 } from './sha256.ts';

/**
 * Checks all of it: the signature of the checkpoint, the inclusion of the reading and of each act,
 * what the acts say of the device, and its certificate up to the root.
 * @param logKey - the key of the log, from elsewhere than the bundle.
 */
export async function checkEvidenceHere(
  evidence: Evidence,
  logKey: string,
): Promise<EvidenceVerdict> {
  const key = parseVerifierKey(sha256, logKey.trim());
  if (key instanceof Problem) return worthless(`the key of the log cannot be read: ${key.problem}`);
  const ahead = new Ahead();
  const check = (): EvidenceVerdict =>
    checkEvidence(evidence, {
      sha256,
      witnesses: [],
      log: {
        ...key,
        verify: ({ publicKey, message, signature }) =>
          ahead.ask(`note ${message.toHex()} ${signature.toHex()}`, () =>
            verifiesEd25519({ publicKey, message, signature }),
          ),
      },
      readCertificate: (der) => {
        const certificate = readCertificate(der);
        if (certificate === undefined) return undefined;
        const { uri, notBeforeMs, notAfterMs } = certificate;
        const isSignedBy = (issuer: Uint8Array): boolean =>
          ahead.ask(`chain ${der.toHex()} ${issuer.toHex()}`, () =>
            isIssuedBy(certificate, readCertificate(issuer)),
          );
        return { uri, notBeforeMs, notAfterMs, isIssuedBy: isSignedBy };
      },
    });
  check();
  await ahead.settle();
  return check();
}

function worthless(problem: string): EvidenceVerdict {
  return {
    problems: [problem],
    checkpoint: undefined,
    reading: undefined,
    acts: [],
    certificate: undefined,
    witnesses: [],
  };
}
