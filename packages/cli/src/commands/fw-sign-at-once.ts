/** Signs a request that was just made with a key of this machine, and hands it over. @module */
import { rmSync } from 'node:fs';
import { SIGNATURE_FILE_BYTES_MAX, readSignatures } from '@holdfast/firmware';
import type { SubmittedSignatures } from '@holdfast/protocol/api';
import { accepted } from '../firmware/accepted.ts';
import { readBounded } from '../firmware/files.ts';
import type { KeySecrets } from '../firmware/key-source.ts';
import { withSigner } from '../firmware/key-source.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';
import { signFile } from './fw-sign.ts';

/** Options of a command that may sign. */
export interface SignValues extends KeySecrets {
  readonly key?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
}

/**
 * As `holdfast fw sign` and then `holdfast fw submit` would do it, with all that they check.
 * @param request - file of a request that `checkAsked` has let pass
 */
export async function signAtOnce(
  world: World,
  request: string,
  values: SignValues,
  openKey: typeof withSigner = withSigner,
): Promise<SubmittedSignatures> {
  const file = `${request.replace(/\.json$/u, '')}.at-once.sig.json`;
  const quiet: World = { ...world, stdout: { ...world.stdout, write: () => {} } };
  const given = { ...values, out: file, json: false, isAsked: true };
  await signFile(quiet, { path: request, values: given }, openKey);
  try {
    const signatures = accepted(readSignatures(readBounded(file, SIGNATURE_FILE_BYTES_MAX)), file);
    return await withStepUp(world, values.data, (client) => client.submitSignatures(signatures));
  } finally {
    rmSync(file, { force: true });
  }
}
