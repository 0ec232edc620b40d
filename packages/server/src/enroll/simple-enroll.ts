/** `simpleenroll`: the first certificate, by a claim or by an IDevID. @see RFC 7030 §4.2.1 @module */
import type { X509Certificate } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import type { RecordAct } from '../audit/index.ts';
import type { ReportRefusal } from '../kernel/index.ts';
import { certsOnly } from '../pki/index.ts';
import { peerAddress } from '../wire/index.ts';
import { type BasicCredential, readBasicCredential } from './basic-credential.ts';
import { certificateFacts } from './certificate-facts.ts';
import {
  type EstContext,
  certificatesAnswer,
  peerCertificate,
  refusalAnswer,
  requestOf,
} from './est-answers.ts';
import type { Issued } from './issue-once.ts';
import { CLAIMED_ID_CHARACTERS_MAX } from './limits.ts';
import { type IdevidDeps, redeemIdevid } from './redeem-idevid.ts';
import { redeem } from './redeem.ts';
import type { WrongClaims } from './wrong-claims.ts';

/** What the route needs. */
export interface SimpleEnrollDeps extends IdevidDeps {
  readonly recordAct: RecordAct;
  readonly report: ReportRefusal;
  readonly wrongClaims: WrongClaims;
}

/** How a peer shows that it may enroll. */
type Credential =
  | { readonly kind: 'claim'; readonly claim: BasicCredential }
  | { readonly kind: 'IDevID'; readonly certificate: X509Certificate };

/**
 * Enrolls. Whatever is wrong with a credential, the answer is the same 401; why it was refused
 * stands in the report.
 */
export async function simpleEnroll(c: EstContext, deps: SimpleEnrollDeps): Promise<Response> {
  const address = peerAddress(c.env.incoming.socket);
  const credential = credentialOf(c);
  if (credential === undefined) {
    const refusal = refuse('E_ENROLL_CLAIM', 'the request carries no claim');
    deps.report({ refusal, address, topic: c.req.path });
    return refusalAnswer(c, refusal, notAccepted);
  }
  const csr = await requestOf(c, deps.report);
  if (csr instanceof Response) return csr;
  const issued = issue(credential, csr, deps);
  if (issued instanceof Refusal) {
    return await refuseEnrollment(c, issued, { ...deps, credential, address });
  }
  const by = credential.kind;
  await recordEnrollment(issued, { recordAct: deps.recordAct, address, by });
  // The answer holds the new certificate alone; its issuer is among the cacerts. RFC 7030 §4.2.3
  return certificatesAnswer(c, certsOnly([issued.certificateDer]));
}

/** A claim comes first: it is meant for this very request. */
function credentialOf(c: EstContext): Credential | undefined {
  const claim = readBasicCredential(c.req.header('authorization'));
  if (claim !== undefined) return { kind: 'claim', claim };
  const certificate = peerCertificate(c);
  return certificate === undefined ? undefined : { kind: 'IDevID', certificate };
}

function issue(credential: Credential, csr: Uint8Array, deps: SimpleEnrollDeps): Issued | Refusal {
  if (credential.kind === 'IDevID') {
    return redeemIdevid({ certificate: credential.certificate, csr }, deps);
  }
  const { name, password } = credential.claim;
  return redeem({ deviceId: name, secret: password, csr }, deps);
}

async function refuseEnrollment(
  c: EstContext,
  found: Refusal,
  {
    wrongClaims,
    report,
    credential,
    address,
  }: SimpleEnrollDeps & { credential: Credential; address: string },
): Promise<Response> {
  const isWrong = found.code === 'E_ENROLL_CLAIM' || found.code === 'E_ENROLL_IDEVID';
  const claimed = claimedBy(credential).slice(0, CLAIMED_ID_CHARACTERS_MAX);
  const tooMany = isWrong ? wrongClaims.count({ address, deviceId: claimed }) : undefined;
  const refusal = tooMany ?? found;
  report({ refusal, address, claimed, topic: c.req.path });
  if (isWrong) await wrongClaims.wait();
  return refusalAnswer(c, refusal, notAccepted);
}

/** Whom the peer claims to be: the name of its claim, or the serial number of its certificate. */
function claimedBy(credential: Credential): string {
  return credential.kind === 'claim'
    ? credential.claim.name
    : `certificate ${credential.certificate.serialNumber.toLowerCase()}`;
}

/** A repetition is an act too: of the first one nobody knows whether its answer arrived. */
async function recordEnrollment(
  { device, certificateDer, isRepeated, ignored }: Issued,
  { recordAct, address, by }: { recordAct: RecordAct; address: string; by: Credential['kind'] },
): Promise<void> {
  await recordAct({
    action: 'device.enroll',
    principal: device.id,
    target: device.id,
    facts: { ...certificateFacts(certificateDer), by, isRepeated, ignored, address },
  });
}

function notAccepted(c: EstContext): Response {
  const challenge = { 'www-authenticate': 'Basic realm="holdfast-est"' };
  return c.text('The claim is not accepted.\n', 401, challenge);
}
