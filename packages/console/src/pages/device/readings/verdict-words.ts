/** What a check of evidence means, in plain words. Pure. @module */
import type { EvidenceVerdict } from '@holdfast/protocol';
import type { Evidence } from '@holdfast/protocol/api';

/** What is proven, and what is not. */
export interface VerdictWords {
  readonly proven: readonly string[];
  readonly notProven: readonly string[];
}

/** The words for evidence without problems. */
export function verdictWords(
  { reading, checkpoint, acts, certificate }: EvidenceVerdict,
  { actsLeftOut }: Pick<Evidence, 'actsLeftOut'>,
): VerdictWords {
  if (reading === undefined || checkpoint === undefined) return { proven: [], notProven: [] };
  const proven = [
    `The log has this reading of ${reading.device}, byte for byte, as entry ${reading.index} of ${checkpoint.size}: its hash leads to the signed root.`,
    `The checkpoint is signed by the key of the log ${checkpoint.origin}.`,
    acts.length === 0
      ? 'No act that kept the device out stands before it in the bundle.'
      : `The ${acts.length} acts about the device in the bundle are in the log, and none of them kept it out at that time.`,
  ];
  if (certificate !== undefined) {
    proven.push(
      `The device used the certificate ${certificate.slice(0, 16)}… then: it is of this device, was valid, and ends in the root of the bundle.`,
    );
  }
  const notProven = [
    'Whose log it is: the key came from this server. For a check that does not need it, download the evidence and run holdfast audit check with the key from your own records.',
    `The signature within the payload itself: only who has the key ${reading.kid} of the device can check it. The server did, when it took the reading in.`,
  ];
  if (certificate === undefined) notProven.push('Which certificate the device used.');
  if (actsLeftOut) notProven.push('What older acts say, for which the bundle has no room.');
  return { proven, notProven };
}
