/** Writes the identity of a broker as the files that it reads. @module */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from '../fleet/fleet.ts';

/** Paths of PEM files. */
export interface IdentityFiles {
  readonly clientAnchors: string;
  readonly certificate: string;
  readonly key: string;
}

/** Writes them into a folder. */
export function writeIdentity(folder: string, fleet: Fleet): IdentityFiles {
  const files = {
    clientAnchors: join(folder, 'client-anchors.crt'),
    certificate: join(folder, 'server.crt'),
    key: join(folder, 'server.key'),
  };
  writeFileSync(files.clientAnchors, fleet.clientAnchorsPem);
  writeFileSync(files.certificate, fleet.server.certificatePem);
  writeFileSync(files.key, fleet.server.keyPem, { mode: 0o600 });
  return files;
}
