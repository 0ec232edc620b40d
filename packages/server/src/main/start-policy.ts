import { Refusal } from '@holdfast/protocol';
/** Puts the policy in force: the stored one, or the one that comes with this Holdfast. @module */
import type { RecordAct } from '../audit/index.ts';
import type { Log } from '../kernel/index.ts';
import type { Policies } from '../policy/index.ts';

/** Starts the policy; a new version is on the audit log before it is in force. */
export async function startPolicy(
  policies: Policies,
  { recordAct, log }: { recordAct: RecordAct; log: Log },
): Promise<void> {
  const { shipped, problem } = policies.start();
  if (problem !== undefined) {
    const event = { 'event.action': 'policy-start', 'event.outcome': 'failure' };
    log.error(
      { ...event, 'error.message': problem },
      'the policy does not fit this version: only who holds the data folder gets in to set another',
    );
  }
  if (shipped === undefined) return;
  const { number, sha256, author, reason } = shipped;
  const facts = { version: number, sha256 };
  await recordAct({ action: 'policy.set', principal: author, reason, facts });
  const refusal = policies.keep(shipped);
  if (refusal instanceof Refusal) throw new Error(refusal.detail);
}
