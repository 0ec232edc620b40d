/** Whether a request that the server has just made is what was asked for, before a key signs it. @module */
import { isDeepStrictEqual } from 'node:util';
import { type Release, fromBytes, lineRole, openPublished, releasesOf } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import type { SigningRequest } from '@holdfast/protocol/api';
import { Failure } from '../failure.ts';
import { printable } from '../printable.ts';
import { accepted } from './accepted.ts';

/** What a product line is to gain or to lose. */
export interface AskedFor {
  readonly line: string;
  readonly add?: Release;
  /** Ids of releases. */
  readonly retire?: readonly string[];
}

/**
 * Holds a request against what was asked for. The server makes it, and a stolen server could make
 * another one: what is signed at once, maybe unseen, must not be for it to choose.
 * @param isShown - somebody sees all of it, and is asked, before it is signed
 * @throws Failure `E_UPDATE_REQUEST`
 */
export function checkAsked(request: SigningRequest, asked: AskedFor, isShown: boolean): void {
  const { add, retire = [] } = asked;
  const now = releasesIn(request, asked.line);
  if (add !== undefined && !isSame(now.get(add.id), add)) {
    throw notAsked(`It does not hold ${add.id} as you gave it.`);
  }
  const kept = retire.find((id) => now.has(id));
  if (kept !== undefined) throw notAsked(`It still holds ${kept}.`);
  if (isShown) return;
  const before = releasesBefore(request, asked.line);
  const strange = [...new Set([...now.keys(), ...before.keys()])].find(
    (id) => id !== add?.id && !retire.includes(id) && !isSame(now.get(id), before.get(id)),
  );
  if (strange === undefined) return;
  throw new Failure('E_UPDATE_REQUEST', {
    what: 'The request changes more than you asked for, so it is not signed unseen.',
    why: `It also changes ${printable(strange)}, which may wait for signatures from before.`,
    fix: 'Look at it and sign it: holdfast fw sign, or the same command without --yes.',
  });
}

function releasesIn({ documents }: SigningRequest, line: string): Map<string, Release> {
  const [document, ...more] = documents;
  const isOfLine = document?.repository === 'image' && document.role === lineRole(line);
  if (!isOfLine || more.length > 0) throw notAsked(`It is not for the line ${line} alone.`);
  const metadata = fromBytes('targets', Buffer.from(document.metadata, 'base64'));
  if (metadata instanceof Refusal) throw notAsked(metadata.detail);
  return byId(releasesOf(metadata.signed));
}

function releasesBefore({ published }: SigningRequest, line: string): Map<string, Release> {
  const opened = accepted(openPublished(published), 'What the server has published');
  const metadata = opened.lines.get(line);
  return byId(metadata === undefined ? [] : releasesOf(metadata.signed));
}

function byId(releases: readonly Release[]): Map<string, Release> {
  return new Map(releases.map((release) => [release.id, release]));
}

/** Fields that are undefined are not there. */
function isSame(one: Release | undefined, other: Release | undefined): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

function plain(release: Release | undefined): unknown {
  return release === undefined ? undefined : JSON.parse(JSON.stringify(release));
}

function notAsked(why: string): Failure {
  return new Failure('E_UPDATE_REQUEST', {
    what: 'The server made another request than you asked for. Nothing was signed.',
    why: printable(why),
    fix: 'Do not sign it. Find out who else can change the server.',
  });
}
