/** The audit of the log while the server runs. @module */
import { Problem, verifyCheckpoint } from '@holdfast/protocol/merkle';
import { checkpointVerifier, runAuditTask, sha256 } from '../audit/index.ts';
import type { LogAudit } from '../operate/index.ts';
import { contentKeyRefsOf } from '../registry/index.ts';
import type { Storage } from './storage.ts';

/** Gives the audit of one server: each task has a thread, which asks for the keys that it needs. */
export function openLogAudit({
  folder,
  identity,
  store: { keyring },
}: Pick<Storage, 'folder' | 'identity' | 'store'>): LogAudit {
  const { verifierKey } = identity.log;
  const verifier = checkpointVerifier(verifierKey);
  if (verifier instanceof Problem) throw new Error(verifier.problem);
  const thread = {
    path: folder.log,
    keyOf: (keyRef: number): Uint8Array | undefined =>
      keyring.isDestroyed(keyRef) ? undefined : keyring.byRef(keyRef).key.expose(),
  };
  return {
    verify: (checkpoints, follow) =>
      runAuditTask({ type: 'verify', verifierKey, ...checkpoints }, thread, follow),
    prove: ({ device, index, checkpoint }) =>
      runAuditTask(
        {
          type: 'prove',
          index,
          checkpoint,
          deviceId: device.id,
          contentKeyRefs: contentKeyRefsOf(device),
          actKeyRefs: keyring.all('acts').map(({ ref }) => ref),
        },
        thread,
      ),
    problemOf: (checkpoint) => {
      const checked = verifyCheckpoint(sha256, checkpoint, verifier);
      return checked instanceof Problem ? checked.problem : undefined;
    },
  };
}
