/** The next document of a product line: what it is to name. @module */
import {
  LINE_RELEASES_MAX,
  type Proposal,
  type Published,
  type Release,
  fromBytes,
  lineProposal,
  linesOf,
  releasesOf,
} from '@holdfast/firmware';
import { Refusal, refuse } from '@holdfast/protocol';
import type { OpenRequest } from './signing-requests.ts';

/** What is to change in a product line; with neither, its document is made anew. */
export interface LineChange {
  readonly line: string;
  readonly add?: Release | undefined;
  /** Ids of releases that devices are told of no more. */
  readonly retire?: readonly string[] | undefined;
  /** Life of the document. */
  readonly days?: number | undefined;
}

/** Makes the document. @param overtaken - open requests of the line, the newest last. */
export function changedLine(
  { line, add, retire = [], days }: LineChange,
  {
    published,
    overtaken,
    nowMs,
  }: {
    readonly published: Published;
    readonly overtaken: readonly OpenRequest[];
    readonly nowMs: number;
  },
): Proposal | Refusal {
  const { targets, lines } = published;
  if (targets === undefined) {
    return refuse('E_UPDATE_REQUEST', 'There are no keys yet: holdfast fw init comes first.');
  }
  const known = linesOf(targets.signed);
  if (!known.includes(line)) {
    const names = known.length === 0 ? 'There are none yet.' : `There are: ${known.join(', ')}.`;
    return refuse('E_UPDATE_REQUEST', `There is no product line ${line}. ${names}`);
  }
  const now = lines.get(line);
  const before = now === undefined ? [] : releasesOf(now.signed);
  if (add !== undefined && before.some(({ id }) => id === add.id)) {
    return refuse('E_OPERATE_CONFLICT', `${add.id} is published already, and never changes.`);
  }
  const waiting = waitingReleases(overtaken.at(-1)) ?? before;
  const absent = retire.find((id) => !waiting.some((release) => release.id === id));
  if (absent !== undefined) return refuse('E_OPERATE_NOT_FOUND', `There is no release ${absent}.`);
  const kept = waiting.filter(({ id }) => id !== add?.id && !retire.includes(id));
  const releases = add === undefined ? kept : [...kept, add];
  if (releases.length > LINE_RELEASES_MAX) {
    const detail = `A line has at most ${LINE_RELEASES_MAX} releases: retire old ones.`;
    return refuse('E_UPDATE_REQUEST', detail);
  }
  const lives = days === undefined ? { nowMs } : { nowMs, targetsDays: days };
  return lineProposal(published, { line, releases }, lives);
}

function waitingReleases(request: OpenRequest | undefined): Release[] | undefined {
  const [document] = request?.documents ?? [];
  if (document === undefined) return undefined;
  const metadata = fromBytes('targets', Buffer.from(document.metadata, 'base64'));
  return metadata instanceof Refusal ? undefined : releasesOf(metadata.signed);
}
