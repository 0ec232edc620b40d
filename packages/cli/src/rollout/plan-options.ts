/** How a release is rolled out, as it is said on the command line. @module */
import {
  FINDING_SEVERITIES,
  type PauseRules,
  ROLLOUT_SPAN_MS_MAX,
  type RolloutRequest,
  type RolloutWindow,
} from '@holdfast/protocol/api';
import { usageFailure } from '../failure.ts';

type StageInput = RolloutRequest['plan']['stages'][number];

/** What a careful rollout looks like when nobody says otherwise. */
export const DEFAULT_STAGES: readonly string[] = ['1%,soak=1h', '10%,soak=1h', '100%'];

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const WINDOW =
  /^(?<days>[a-z,-]+) +(?<from>\d{1,2}:\d{2})-(?<to>\d{1,2}:\d{2})(?: +(?<zone>\S+))?$/u;

/** Reads `30s`, `15m`, `1h` or `7d`. @throws Failure. */
export function spanOption(text: string, name: string): number {
  const { count, unit } = /^(?<count>\d{1,6})(?<unit>[smhd])$/u.exec(text)?.groups ?? {};
  const ms = Number(count) * (UNITS_MS[unit ?? ''] ?? Number.NaN);
  if (ms <= ROLLOUT_SPAN_MS_MAX) return ms;
  const fix = `For example ${name}=30m, ${name}=1h or ${name}=7d; at most 90d.`;
  throw usageFailure(`"${text}" is no span of time.`, fix);
}

/** Reads a share: `2%` or `0.5%`. @returns 0 to 1. @throws Failure. */
export function shareOption(text: string, name: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,4})?%$/u.test(text) ? Number(text.slice(0, -1)) : 101;
  if (percent <= 100) return percent / 100;
  throw usageFailure(`"${text}" is no share.`, `For example ${name}=2% or ${name}=0.5%.`);
}

/**
 * Reads a stage: `10%`, `50` (devices), `group=lab`, `device=a,device=b`, and with commas
 * `soak=1h`, `success=95%`. @throws Failure.
 */
export function stageOption(text: string): StageInput {
  const devices: string[] = [];
  let select: StageInput['select'] | undefined;
  const rest: { soakMs?: number; successRate?: number } = {};
  for (const part of text.split(',')) {
    const [key = '', value = ''] = part.split(/=(.*)/su);
    if (key === 'soak') rest.soakMs = spanOption(value, 'soak');
    else if (key === 'success') rest.successRate = shareOption(value, 'success');
    else if (key === 'device') devices.push(value);
    else if (select === undefined) select = selectionOf(part, key, value);
    else throw stageFailure(text);
  }
  if (devices.length > 0 && select !== undefined) throw stageFailure(text);
  const selected = devices.length > 0 ? { devices } : select;
  if (selected === undefined) throw stageFailure(text);
  return { select: selected, ...rest };
}

/** Reads `mon-fri 01:00-05:00 Europe/Berlin`; without a zone, that of this machine. @throws Failure. */
export function windowOption(text: string, timeZone: string): RolloutWindow {
  const { days, from, to, zone = timeZone } = WINDOW.exec(text)?.groups ?? {};
  const [numbers, fromMinute, toMinute] = [daysOf(days), minuteOf(from), minuteOf(to)];
  if (numbers !== undefined && fromMinute !== undefined && toMinute !== undefined) {
    return { days: numbers, fromMinute: fromMinute % 1_440, toMinute, timeZone: zone };
  }
  throw usageFailure(
    `"${text}" is no window of time.`,
    'For example: --window "mon-fri 01:00-05:00 Europe/Berlin", or "sat,sun 22:00-04:00".',
  );
}

/** Reads `failures=2%,unconfirmed=2h,silent=15m,findings=high`. @throws Failure. */
export function pauseOption(text: string): Partial<PauseRules> {
  const rules: Partial<{ -readonly [K in keyof PauseRules]: PauseRules[K] }> = {};
  for (const part of text.split(',')) {
    const [key = '', value = ''] = part.split(/=(.*)/su);
    if (key === 'failures') rules.failures = shareOption(value, key);
    else if (key === 'unconfirmed') rules.unconfirmedMs = spanOption(value, key);
    else if (key === 'silent') rules.silentMs = spanOption(value, key);
    else if (key === 'findings') rules.findings = severityOf(value);
    else {
      const fix = 'It takes failures=2%, unconfirmed=2h, silent=15m and findings=high.';
      throw usageFailure(`--pause-on does not know "${part}".`, fix);
    }
  }
  return rules;
}

function selectionOf(part: string, key: string, value: string): StageInput['select'] {
  if (key === 'group') return { group: value };
  if (/^\d{1,8}$/u.test(part) && Number(part) > 0) return { count: Number(part) };
  const percent = /^\d{1,3}(?:\.\d{1,4})?%$/u.test(part) ? Number(part.slice(0, -1)) : 0;
  if (percent > 0 && percent <= 100) return { percent };
  throw stageFailure(part);
}

function stageFailure(text: string): Error {
  return usageFailure(
    `"${text}" is no stage.`,
    'For example: --stage 1%,soak=1h --stage group=lab --stage 50 --stage 100%,success=95%',
  );
}

function severityOf(text: string): PauseRules['findings'] {
  const found = [...FINDING_SEVERITIES, 'none' as const].find((one) => one === text);
  if (found !== undefined) return found;
  const known = [...FINDING_SEVERITIES, 'none'].join(', ');
  throw usageFailure(`There is no severity "${text}".`, `One of ${known}.`);
}

function daysOf(text: string | undefined): number[] | undefined {
  const days = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const [first = '', last = first] = part.split('-');
    const [from, to] = [DAYS.indexOf(first), DAYS.indexOf(last)];
    if (from === -1 || to === -1) return undefined;
    // `fri-mon` goes over Sunday.
    for (let day = from; ; day = (day + 1) % DAYS.length) {
      days.add(day + 1);
      if (day === to) break;
    }
  }
  return [...days].sort((a, b) => a - b);
}

function minuteOf(text: string | undefined): number | undefined {
  const [hours = '', minutes = ''] = (text ?? '').split(':');
  const minute = Number(hours) * 60 + Number(minutes);
  return text !== undefined && Number(minutes) < 60 && minute <= 1_440 ? minute : undefined;
}
