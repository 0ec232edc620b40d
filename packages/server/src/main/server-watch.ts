/** What the overview and the live stream look at, out of the parts of a running server. @module */
import { X509Certificate } from 'node:crypto';
import type { PublicCertificate } from '../acme/index.ts';
import type { ServerWatch } from '../operate/index.ts';
import type { Flow } from './flow.ts';
import type { RunningFigures } from './open-figures.ts';
import type { Audit, Storage } from './storage.ts';

/** Joins the parts. */
export function serverWatch({
  figures,
  traffic,
  presence,
  lastVerification,
  journal,
  identity,
  publicName,
}: RunningFigures &
  Pick<Flow, 'presence'> &
  Pick<Audit, 'lastVerification' | 'journal'> &
  Pick<Storage, 'identity'> & {
    readonly publicName: PublicCertificate | undefined;
  }): ServerWatch {
  return {
    figures,
    traffic,
    onPresence: (listener) => presence.onChange(listener),
    lastVerification,
    logSize: () => journal.size,
    certificateEnds: () => ({
      serverMs: endMs(identity.certificate.certChainPem),
      publicName: publicName && { endsMs: publicName.endsAtMs, isLate: publicName.isRenewalLate },
    }),
  };
}

/** When the first certificate of a chain ends. */
function endMs(chainPem: string): number {
  return new X509Certificate(chainPem).validToDate.getTime();
}
