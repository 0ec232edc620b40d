/** What `status` says of each part of a server, a row each. @module */
import type { Overview, ServerInfo } from '@holdfast/protocol/api';
import type { Paint } from '../paint.ts';
import { spkiPinText } from '../pin-text.ts';
import { printable } from '../printable.ts';

/** How it is said. */
export interface Tools {
  readonly paint: Paint;
  /** A time as it is told: how long ago. */
  readonly ago: (at: string) => string;
  readonly until: (at: string) => string;
}

/** Refusals, rollouts and devices that are named; the rest is a number. */
const NAMED_MAX = 3;

/** The rows, in the order in which one looks for them. */
export function statusRows(overview: Overview, server: ServerInfo, tools: Tools): string[][] {
  return [
    ['devices', devicesText(overview)],
    ['certificates', certificatesText(overview, tools)],
    ['messages', trafficText(overview)],
    ...refusalRow(overview, tools),
    ...updateRow(overview, tools),
    ...logRow(overview, tools),
    ...backupRow(overview, tools),
    ...keyRow(overview),
    ...diskRow(overview, tools),
    ['server', serverText(overview, tools)],
    ['broker', printable(server.broker)],
    ['console', printable(server.api)],
    ['enrollment', printable(server.enroll)],
    ['pin', printable(spkiPinText(server.pins))],
  ];
}

function devicesText({ fleet }: Overview): string {
  if (fleet.total === 0) return 'none yet: holdfast device add thermostat-1 --class sensor';
  const states = Object.entries(fleet.byState)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${number(count)} ${printable(state)}`);
  const more = [`${number(fleet.connected)} connected`];
  if (fleet.neverSeen > 0) more.push(`${number(fleet.neverSeen)} never seen`);
  if (fleet.unproven > 0) more.push(`${number(fleet.unproven)} have not proven how they booted`);
  const part = fleet.isWhole ? '' : ' (those that you may see)';
  return `${number(fleet.total)}${part}: ${states.join(', ')}; ${more.join(', ')}`;
}

function certificatesText({ certificates: { ending, ended } }: Overview, { paint }: Tools): string {
  if (ending.count + ended.count === 0) return 'none of the devices ends within 7 days';
  const parts: string[] = [];
  if (ended.count > 0) parts.push(paint.bad(`${named(ended)} ended`));
  if (ending.count > 0) parts.push(`${named(ending)} ending within 7 days`);
  return parts.join('; ');
}

function named({ count, devices }: { count: number; devices: readonly string[] }): string {
  const shown = devices.slice(0, NAMED_MAX).map(printable);
  return `${number(count)} (${shown.join(', ')}${count > shown.length ? ', …' : ''})`;
}

function trafficText({ traffic }: Overview): string {
  const { acceptedPerS, refusedPerS, connections } = traffic;
  const rate = (perS: number): string =>
    `${perS >= 10 ? number(Math.round(perS)) : perS.toFixed(1)}/s`;
  return `${rate(acceptedPerS)} accepted, ${rate(refusedPerS)} refused; ${counted(connections, 'connection', 'connections')}`;
}

function refusalRow({ refusals }: Overview, { paint }: Tools): string[][] {
  if (refusals === undefined) return [];
  const { total, byCode } = refusals;
  if (total === 0) return [['refusals', 'none in the last hour']];
  const most = byCode
    .slice(0, NAMED_MAX)
    .map(({ code, count }) => `${number(count)} ${printable(code)}`);
  const more = byCode.length > NAMED_MAX ? ', …' : '';
  return [
    ['refusals', `${paint.strong(number(total))} in the last hour: ${most.join(', ')}${more}`],
  ];
}

function updateRow({ updates }: Overview, { paint }: Tools): string[][] {
  if (updates === undefined || updates.rollouts.length === 0) return [];
  return updates.rollouts.slice(0, NAMED_MAX).map((rollout, at) => {
    const { id, release, state, devices, confirmed, failed } = rollout;
    const bad = failed > 0 ? `, ${paint.bad(`${number(failed)} failed`)}` : '';
    const text = `${printable(release)} (${id}) ${state}: ${number(confirmed)} of ${number(devices)} confirmed${bad}`;
    return [at === 0 ? 'rollouts' : '', text];
  });
}

function logRow({ log }: Overview, { paint, ago }: Tools): string[][] {
  if (log === undefined) return [];
  const { size, lastVerification: last } = log;
  const parts = [counted(size, 'entry', 'entries')];
  if (last === undefined) parts.push('not verified yet: holdfast audit verify');
  else if (last.ok) parts.push(`verified ${ago(last.at)} by ${printable(last.by)}`);
  else parts.push(paint.bad(`the verification ${ago(last.at)} found ${last.findings} changes`));
  return [['audit log', parts.join('; ')], ...witnessedRow(log, { paint, ago })];
}

/** What witnesses have seen of the log; no row where there is none. */
function witnessedRow(
  { witnessed, witnesses, isBehind }: NonNullable<Overview['log']>,
  { paint, ago }: Pick<Tools, 'paint' | 'ago'>,
): string[][] {
  if (isBehind) return [['witnessed', paint.bad('ALARM: a witness has seen another log')]];
  if (witnessed === undefined) return witnesses > 0 ? [['witnessed', 'not yet']] : [];
  return [['witnessed', `${number(witnessed.size)} entries, ${ago(witnessed.at)}`]];
}

function backupRow({ backups }: Overview, { paint, ago }: Tools): string[][] {
  if (backups === undefined) return [];
  const { lastAt, lastDrill, troubles } = backups;
  const parts = [lastAt === undefined ? paint.bad('none yet') : `made ${ago(lastAt)}`];
  if (lastDrill === undefined) parts.push('never restored as a trial');
  else if (lastDrill.isGood) parts.push(`a restore worked ${ago(lastDrill.at)}`);
  else parts.push(paint.bad(`a restore FAILED ${ago(lastDrill.at)}`));
  if (troubles > 0) parts.push(paint.bad('trouble: holdfast backup status'));
  return [['backup', parts.join('; ')]];
}

function keyRow({ keys }: Overview): string[][] {
  if (keys === undefined) return [];
  const parts = [
    keys.isRecoverable ? 'recovery shares exist' : 'no recovery shares: holdfast keys escrow',
  ];
  if (keys.isRotating) parts.push('a rotation is under way: holdfast keys status');
  return [['keys', parts.join('; ')]];
}

function diskRow({ disk }: Overview, { paint }: Tools): string[][] {
  if (disk === undefined) return [];
  const mebibytes = (bytes: number): string => `${number(Math.floor(bytes / 2 ** 20))} MiB`;
  const free = disk.freeBytes === undefined ? '' : `${mebibytes(disk.freeBytes)} free`;
  if (disk.condition === 'good') return free === '' ? [] : [['disk', free]];
  const left = free === '' ? '' : `, ${free}`;
  const why = {
    full: `nearly full${left}, and ${mebibytes(disk.reserveBytes)} are kept: no messages are taken`,
    failing: `refuses what is written${left}: nothing is stored`,
    slow: `slow${left}: a commit has taken seconds`,
  }[disk.condition];
  return [['disk', paint.bad(why)]];
}

function serverText({ serverCertificate }: Overview, { until }: Tools): string {
  const { endsAt, publicEndsAt } = serverCertificate;
  const open = publicEndsAt === undefined ? '' : `, that of the public name ${until(publicEndsAt)}`;
  return `its certificate ends ${until(endsAt)}${open}`;
}

/** `1 thing`, `2,000 things`. */
export function counted(count: number, one: string, many: string): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function number(count: number): string {
  return new Intl.NumberFormat('en').format(count);
}
