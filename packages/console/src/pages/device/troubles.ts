/** What is wrong with a device, in plain words, with the next step. Pure. @module */
import type {
  DeviceDetail,
  DeviceSessions,
  DeviceUpdateView,
  DeviceView,
  RefusalView,
} from '@holdfast/protocol/api';
import { counted } from '../../parts/number-text.ts';
import { spanText } from '../../parts/time-text.ts';
import type { Tone } from '../../parts/tone.ts';
import type { DeviceTab } from './device-tabs.tsx';

/** One of them. */
export interface DeviceTrouble {
  readonly tone: Tone;
  readonly title: string;
  /** What it means, and what to do. */
  readonly text: string;
  /** Where there is more to see. */
  readonly tab?: DeviceTab;
}

/** What is looked at. What the person may not see is absent. */
export interface TroubleFacts {
  readonly detail: DeviceDetail;
  readonly sessions: DeviceSessions | undefined;
  readonly update: DeviceUpdateView | undefined;
  /** The newest ones of it. */
  readonly refusals: readonly RefusalView[];
  /** There are more than these. */
  readonly hasOlderRefusals: boolean;
  readonly nowMs: number;
}

/** An active device that is away for longer is worth a word. */
const AWAY_MS = 15 * 60_000;
const REFUSALS_MS = 24 * 3_600_000;
const CERTIFICATE_SOON_MS = 24 * 3_600_000;

/** All of them, the worst first. */
export function deviceTroubles(facts: TroubleFacts): readonly DeviceTrouble[] {
  const found = [
    stateTrouble(facts),
    certificateTrouble(facts),
    bootTrouble(facts),
    refusalTrouble(facts),
    updateTrouble(facts),
    awayTrouble(facts),
  ].filter((one) => one !== undefined);
  const order: readonly Tone[] = ['bad', 'warn', 'info', 'calm', 'good'];
  return found.toSorted((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
}

/** What a state means that keeps the device from sending, or in which it has not begun. */
const STATE_TROUBLES: Partial<Record<DeviceView['state'], DeviceTrouble>> = {
  quarantined: {
    tone: 'bad',
    title: 'It is in quarantine: nothing it sends is taken in.',
    text: 'Look at its refusals and its history. Then release it, or revoke it if somebody else may have its key.',
    tab: 'refusals',
  },
  suspended: {
    tone: 'warn',
    title: 'It is suspended: it cannot connect.',
    text: 'Resume it when it is to go on.',
    tab: 'identity',
  },
  revoked: {
    tone: 'bad',
    title: 'It is revoked: its certificate counts no more.',
    text: 'If it is to come back, make a new claim and enroll it anew.',
    tab: 'identity',
  },
  registered: {
    tone: 'info',
    title: 'It has not enrolled yet.',
    text: 'Bring its claim to the device. If the claim is lost or has ended, make a new one under Actions.',
  },
  claimed: {
    tone: 'info',
    title: 'It is enrolled, and has not connected yet.',
    text: 'Start its program with the files of the enrollment. If it tries and fails, its refusals say why.',
    tab: 'refusals',
  },
};

function stateTrouble({ detail: { device } }: TroubleFacts): DeviceTrouble | undefined {
  const trouble = STATE_TROUBLES[device.state];
  if (trouble === undefined || trouble.tone === 'info' || device.stateReason === '') return trouble;
  return { ...trouble, text: `Reason: ${device.stateReason}. ${trouble.text}` };
}

function certificateTrouble({ detail, nowMs }: TroubleFacts): DeviceTrouble | undefined {
  const { state, certificateEndsAt } = detail.device;
  const isOut = state === 'revoked' || state === 'retired' || state === 'registered';
  if (certificateEndsAt === undefined || isOut) return undefined;
  const leftMs = Date.parse(certificateEndsAt) - nowMs;
  if (leftMs <= 0) {
    return {
      tone: 'bad',
      title: `Its certificate ended ${spanText(-leftMs)} ago.`,
      text: 'It cannot connect. If its class allows a late renewal, it comes back by itself, into quarantine; else make a new claim and enroll it anew.',
      tab: 'identity',
    };
  }
  const life = lifeMs(detail);
  // A healthy device renews at two thirds of the life.
  const isLate = leftMs < life / 4 && leftMs < CERTIFICATE_SOON_MS * 7;
  if (!isLate) return undefined;
  return {
    tone: 'warn',
    title: `Its certificate ends in ${spanText(leftMs)}, and it has not renewed it.`,
    text: 'A device of the SDK renews by itself when it is connected. For a plain MQTT client, run holdfast device renew.',
    tab: 'identity',
  };
}

function lifeMs({ certificates, device }: DeviceDetail): number {
  const current = certificates.findLast(({ notAfter }) => notAfter === device.certificateEndsAt);
  if (current === undefined) return CERTIFICATE_SOON_MS;
  return Date.parse(current.notAfter) - Date.parse(current.notBefore);
}

function bootTrouble({ detail: { tpm } }: TroubleFacts): DeviceTrouble | undefined {
  if (tpm?.boot !== 'unproven') return undefined;
  return {
    tone: 'warn',
    title: 'It has not proven how it booted.',
    text: `It can report its state and get updates, and nothing else.${tpm.why === undefined ? '' : ` ${tpm.why}.`}`,
    tab: 'firmware',
  };
}

function refusalTrouble({
  refusals,
  hasOlderRefusals,
  nowMs,
}: TroubleFacts): DeviceTrouble | undefined {
  const recent = refusals.filter(({ at }) => nowMs - Date.parse(at) < REFUSALS_MS);
  const [newest] = recent;
  if (newest === undefined) return undefined;
  const count = recent.reduce((sum, refusal) => sum + refusal.count, 0);
  const isAll = !hasOlderRefusals || recent.length < refusals.length;
  return {
    tone: 'warn',
    title: `${isAll ? '' : 'At least '}${counted(count, 'refusal')} in the last 24 hours.`,
    text: `The newest: ${newest.what} ${newest.fix}`,
    tab: 'refusals',
  };
}

function updateTrouble({ update, nowMs }: TroubleFacts): DeviceTrouble | undefined {
  const { reported, assigned } = update ?? {};
  if (reported?.state === 'failed' || reported?.state === 'reverted') {
    const why = reported.why === undefined ? '' : ` It says: ${reported.why}.`;
    return {
      tone: 'warn',
      title: `Its update to ${reported.release} ${reported.state === 'failed' ? 'failed' : 'was taken back'}.`,
      text: `It runs what it ran before.${why} Look at the release before it is tried again.`,
      tab: 'firmware',
    };
  }
  if (assigned?.isPublished === false) {
    return {
      tone: 'warn',
      title: `${assigned.release} was taken back, and is still assigned.`,
      text: 'The device is not told of it any more. Assign another release, or none.',
      tab: 'firmware',
    };
  }
  const isStuck =
    assigned !== undefined &&
    assigned.release !== reported?.runs &&
    assigned.release !== reported?.release &&
    nowMs - Date.parse(assigned.since) > REFUSALS_MS;
  if (!isStuck) return undefined;
  return {
    tone: 'info',
    title: `${assigned.release} was assigned a while ago, and it has told nothing of it.`,
    text: 'It may be away, or run no update agent.',
    tab: 'firmware',
  };
}

function awayTrouble({
  detail: { device },
  sessions,
  nowMs,
}: TroubleFacts): DeviceTrouble | undefined {
  if (device.state !== 'active' || device.online === true) return undefined;
  if (device.lastSeen === undefined) return undefined;
  const awayMs = nowMs - Date.parse(device.lastSeen);
  if (awayMs < AWAY_MS) return undefined;
  const [last] = sessions?.previous ?? [];
  const why = last === undefined ? '' : ` Its last connection ended because: ${last.why}.`;
  return {
    tone: 'info',
    title: `It has been away for ${spanText(awayMs)}.`,
    text: `It may be switched off, or without network.${why} A device that only sends now and then looks like this, too.`,
    tab: 'identity',
  };
}
