/** How the certificate authority stands, in plain words. @module */
import type { AuthorityStatus, GenerationView } from '@holdfast/protocol/api';
import { localTime } from '../local-time.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const STATE_TEXT: Readonly<Record<GenerationView['state'], string>> = {
  next: 'published, issues nothing yet',
  issuing: 'issues',
  trusted: 'issues no more, still counts',
  ended: 'ended, counts no more',
};

/** The screen of `ca status`. */
export function statusText(status: AuthorityStatus, { timeZone }: Pick<World, 'timeZone'>): string {
  const day = (iso: string): string => localTime(iso, timeZone).slice(0, 10);
  const { root, custody, generations } = status;
  const rootKey = root.isKeyHere ? 'its key is on this server' : 'its key is offline';
  const rows = generations.map(({ number, state, madeAt, devices, inUse }) => [
    `generation ${number}`,
    STATE_TEXT[state],
    `made ${day(madeAt)}, ends ${day(devices.notAfter)}`,
    useText(inUse),
  ]);
  const places = [
    [
      'root',
      `${printable(root.fingerprint.slice(0, 16))}…, ends ${day(root.notAfter)}, ${rootKey}`,
    ],
    ['issuing keys', `in the ${printable(custody)}`],
  ];
  return `${table(places)}\n${table(rows)}\n${nextText(status, day)}\n`;
}

/** What to do next, and when. */
export function nextText(
  { next, generations, root }: AuthorityStatus,
  day: (iso: string) => string,
): string {
  if (next === 'prepare') {
    const how = root.isKeyHere ? '' : ', with --root and the file of the offline root';
    return `Next: nothing has to be done. A rotation begins with holdfast ca rotate${how}.`;
  }
  if (next === 'switch') {
    return (
      'Next: holdfast ca rotate lets the new generation issue. Wait until devices and others\n' +
      'that keep our CA certificates have fetched them again, if there are any.'
    );
  }
  const old = generations.find(({ state }) => state === 'trusted');
  const { certificates = 0, lastEndsAt } = old?.inUse ?? {};
  if (certificates === 0) return 'Next: holdfast ca rotate ends the trust in the old generation.';
  const end = lastEndsAt === undefined ? '' : ` The last one ends on ${day(lastEndsAt)}.`;
  return (
    `Next: wait. ${countText(certificates)} of generation ${old?.number ?? 0} still count;` +
    ` devices and apps replace them when they renew.${end}`
  );
}

function useText({ certificates, devices, apps }: GenerationView['inUse']): string {
  if (certificates === 0) return 'nothing in use';
  const names = devices.slice(0, NAMES_MAX).map(printable);
  if (devices.length > NAMES_MAX) names.push('…');
  if (apps > 0) names.push(apps === 1 ? '1 app' : `${apps} apps`);
  return `${countText(certificates)} in use (${names.join(', ')})`;
}

function countText(count: number): string {
  return count === 1 ? '1 certificate' : `${count} certificates`;
}

const NAMES_MAX = 3;
