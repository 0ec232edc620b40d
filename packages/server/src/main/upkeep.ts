/** What a running server does for itself now and then. @module */
import type { AuthorityKeeper } from '../enroll/index.ts';
import type { CancelTimer, Clock, Log } from '../kernel/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';
import { UPKEEP_MS } from './limits.ts';
import type { Audit } from './storage.ts';

/** What it needs. */
export interface UpkeepDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly keeper: Pick<AuthorityKeeper, 'renewCertificate' | 'certificate'>;
  readonly registry: Pick<DeviceRegistry, 'pruneCertificates'>;
  readonly recordAct: Audit['recordAct'];
}

/**
 * Renews the certificate of this server in time, and forgets certificates of devices that ended
 * long ago: now, and then every `UPKEEP_MS`. What fails is logged, and tried again next time.
 * @returns what ends it.
 */
export function startUpkeep(deps: UpkeepDeps): CancelTimer {
  let cancel: CancelTimer = () => {};
  const run = (): void => {
    cancel = deps.clock.after(UPKEEP_MS, run);
    attempt('server.renew-certificate', () => renewCertificate(deps), deps);
    attempt('prune-certificates', () => deps.registry.pruneCertificates(), deps);
  };
  run();
  return () => cancel();
}

async function renewCertificate({ keeper, recordAct }: UpkeepDeps): Promise<void> {
  if (!keeper.renewCertificate()) return;
  const { pins } = keeper.certificate;
  const facts = { certificate: pins.certificate, spki: pins.spki };
  await recordAct({ action: 'server.renew-certificate', principal: 'server', facts });
}

function attempt(action: string, task: () => unknown, { log }: UpkeepDeps): void {
  Promise.try(task).catch((error: unknown) => {
    const event = { 'event.action': action, 'event.outcome': 'failure' };
    log.error({ ...event, 'error.message': String(error) }, 'upkeep failed');
  });
}
