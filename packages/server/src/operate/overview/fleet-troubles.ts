/** Troubles of the devices: quarantine, certificates, updates, and what was refused. @module */
import type { Trouble } from '@holdfast/protocol/api';
import { REFUSALS_SURGE_FACTOR, REFUSALS_SURGE_MIN, REFUSALS_SURGE_MS } from '../limits.ts';
import { counted, namedText } from './trouble-text.ts';
import type { TroubleFacts } from './troubles.ts';

const DAY_MS = 86_400_000;
const CERTIFICATE_SOON_DAYS = 7;
const REFUSED_NAMED_MAX = 5;

/** Looks at the fleet. */
export function* fleetTroubles(facts: TroubleFacts): Generator<Trouble> {
  yield* refusedTroubles(facts);
  yield* surgeTroubles(facts);
  yield* stateTroubles(facts);
  yield* certificateTroubles(facts);
  yield* updateTroubles(facts);
  if (facts.fleet.total > 0 || !facts.fleet.isWhole) return;
  yield {
    severity: 'advice',
    code: 'devices-none',
    title: 'There are no devices yet',
    why: 'A device needs a claim, by which it gets its own certificate.',
    fix: 'Connect your first device: the console shows every step.',
    href: '/welcome',
    command: 'holdfast device add <id>',
  };
}

function* refusedTroubles({ refused }: TroubleFacts): Generator<Trouble> {
  if (refused.length === 0) return;
  const named = refused
    .slice(0, REFUSED_NAMED_MAX)
    .map(({ id, count, what }) => `${id}, ${counted(count, 'time')}: ${inShort(what)}.`);
  const more = refused.length - named.length;
  yield {
    severity: 'warning',
    code: 'devices-refused',
    title: `${counted(refused.length, 'device is', 'devices are')} refused again and again`,
    why: [...named, ...(more > 0 ? [`And ${counted(more, 'device')} more.`] : [])].join('\n'),
    fix: 'See what it could mean; quarantine one that you do not trust, which cuts it off at once.',
    href: '/refusals?by=device&span=hour',
    command: 'holdfast refusals',
  };
}

/** "The signature does not match", of a sentence that goes on with what it means. */
function inShort(what: string): string {
  return /^[^:,.;]*/u.exec(what)?.[0] ?? what;
}

function* surgeTroubles({ recent, refusals }: TroubleFacts): Generator<Trouble> {
  if (recent === undefined || recent.lately < REFUSALS_SURGE_MIN) return;
  const usual = recent.beforeMs === 0 ? 0 : (recent.before * REFUSALS_SURGE_MS) / recent.beforeMs;
  if (recent.lately < usual * REFUSALS_SURGE_FACTOR) return;
  const [most] = refusals?.byCode ?? [];
  const minutes = REFUSALS_SURGE_MS / 60_000;
  yield {
    severity: 'warning',
    code: 'refusals-surge',
    title: `${counted(recent.lately, 'refusal')} in ${minutes} minutes, far more than usual`,
    why: most === undefined ? 'Something changed.' : `Most of them: ${most.what}`,
    fix: 'See which devices or addresses they come from; quarantine a device that misbehaves.',
    href: '/refusals',
    command: 'holdfast refusals --follow',
  };
}

function* stateTroubles({ fleet }: TroubleFacts): Generator<Trouble> {
  const quarantined = fleet.byState['quarantined'] ?? 0;
  if (quarantined > 0) {
    yield {
      severity: 'warning',
      code: 'devices-quarantined',
      title: `${counted(quarantined, 'device is', 'devices are')} in quarantine`,
      why: 'A device in quarantine is cut off from everything but updates until somebody looks at it.',
      fix: 'See why on the page of each device; then release it, or revoke it.',
      href: '/devices?state=quarantined',
      command: 'holdfast device list --state quarantined',
    };
  }
  if (fleet.unproven > 0) {
    yield {
      severity: 'warning',
      code: 'devices-unproven',
      title: `${counted(fleet.unproven, 'device has', 'devices have')} not proven what they booted`,
      why: 'A TPM did not confirm the image that its device is to run, so the device may send nothing but its state.',
      fix: 'Look at their refusals: an old quote, a TPM that was changed, or another image.',
      href: '/refusals?code=E_UPDATE_BOOT',
      command: 'holdfast refusals',
    };
  }
}

function* certificateTroubles({ certificates, nowMs }: TroubleFacts): Generator<Trouble> {
  const { ended, ending } = certificates;
  const before = (ms: number): string =>
    `/devices?certificateBefore=${encodeURIComponent(new Date(ms).toISOString())}`;
  if (ended.count > 0) {
    yield {
      severity: 'warning',
      code: 'certificates-ended',
      title: `${counted(ended.count, 'device has', 'devices have')} a certificate that has ended`,
      why: `Without a valid certificate a device cannot connect: ${namedText(ended.devices, ended.count)}.`,
      fix: 'The SDK renews by itself, for a while even now; for all others make a new claim: holdfast device claim <id>.',
      href: before(nowMs),
    };
  }
  if (ending.count > 0) {
    yield {
      severity: 'warning',
      code: 'certificates-ending',
      title: `${counted(ending.count, 'certificate ends', 'certificates end')} within ${CERTIFICATE_SOON_DAYS} days`,
      why: `Not renewed so far: ${namedText(ending.devices, ending.count)}.`,
      fix: 'A device of the SDK was not connected for long; a plain MQTT client cannot renew by itself: holdfast device renew.',
      href: before(nowMs + CERTIFICATE_SOON_DAYS * DAY_MS),
    };
  }
}

function* updateTroubles({ updates }: TroubleFacts): Generator<Trouble> {
  for (const { id, release, state, stateBy, stateReason } of updates?.rollouts ?? []) {
    const about = { href: `/rollouts/${id}`, command: `holdfast rollout show ${id}` };
    if (state === 'paused' && stateBy === 'server') {
      yield {
        severity: 'warning',
        code: 'rollout-paused',
        title: `The rollout of ${release} paused itself`,
        why: stateReason,
        fix: 'Look at the devices that failed; then resume it, abort it, or bring a better release.',
        ...about,
      };
    } else if (state === 'waiting-approval') {
      yield {
        severity: 'advice',
        code: 'rollout-waits',
        title: `The rollout of ${release} waits for a second person`,
        why: 'Nothing is offered to a device before.',
        fix: 'Let somebody else look at it and approve it.',
        ...about,
      };
    }
  }
  const failed = (updates?.byState['failed'] ?? 0) + (updates?.byState['reverted'] ?? 0);
  if (failed === 0) return;
  yield {
    severity: 'warning',
    code: 'updates-failed',
    title: `The last update of ${counted(failed, 'device')} did not succeed`,
    why: 'Such a device runs what it ran before.',
    fix: 'See what each of them says about it.',
    href: '/devices?update=failed,reverted',
  };
}
