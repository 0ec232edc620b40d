/** Hands documents to the server as a signing request, and says what comes next. @module */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@holdfast/client';
import {
  type Proposal,
  type Published,
  checkRequest,
  documentsOf,
  openPublished,
  requestId,
} from '@holdfast/firmware';
import type { MadeSigningRequest } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import type { OptionSet } from '../command.ts';
import { DATA_OPTION, JSON_OPTION, integerOption } from '../command.ts';
import { Failure } from '../failure.ts';
import { writeNew } from '../new-file.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';
import { accepted } from './accepted.ts';
import { viewText } from './request-text.ts';

/** Options of every command that makes a signing request. */
export const REQUEST_OPTIONS = {
  out: { type: 'string', value: 'FILE', help: 'file to write (default request.json)' },
  'root-days': { type: 'string', value: 'N', help: 'how long roots live (default 365)' },
  'targets-days': {
    type: 'string',
    value: 'N',
    help: 'how long targets and product lines live, 1 to 365 (default 180)',
  },
  json: JSON_OPTION,
  data: DATA_OPTION,
} as const satisfies OptionSet;

/** The values of these options. */
export interface RequestValues {
  readonly out?: string | undefined;
  readonly 'root-days'?: string | undefined;
  readonly 'targets-days'?: string | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
}

/** When the new documents end. */
export function livesOf(world: World, values: RequestValues) {
  const days = (name: 'root-days' | 'targets-days') => {
    const text = values[name];
    return text === undefined ? undefined : integerOption(text, { name, min: 1, max: 365 });
  };
  const [rootDays, targetsDays] = [days('root-days'), days('targets-days')];
  return {
    nowMs: world.nowMs(),
    ...(rootDays !== undefined && { rootDays }),
    ...(targetsDays !== undefined && { targetsDays }),
  };
}

/** What the server says is published, checked. */
export async function publishedOn(client: Client): Promise<Published> {
  const { documents } = await client.publishedFirmware();
  return accepted(openPublished(documents), 'What the server has published');
}

/**
 * Makes a request of what `propose` gives, writes its file, and says what people do next.
 * @param first - done before, with the second factor: it may change the server.
 */
export async function askToSign(
  world: World,
  values: RequestValues,
  propose: (client: Client, published: Published) => Promise<readonly Proposal[]>,
): Promise<void> {
  const made = await withStepUp(world, values.data, async (client) => {
    const published = await publishedOn(client);
    const documents = documentsOf(await propose(client, published));
    // Before anything is written anywhere: a request that nobody could sign helps nobody.
    accepted(checkRequest(documents, { published, nowMs: world.nowMs() }), 'This change');
    const made = await client.makeSigningRequest({ documents });
    // A stolen server must not have the signers sign something else in its place.
    const isSame = [made.request.id, made.view.id].every((id) => id === requestId(documents));
    return isSame && isDeepStrictEqual(made.request.documents, documents) ? made : notAsked();
  });
  const path = values.out ?? 'request.json';
  writeNew(path, `${JSON.stringify(made.request)}\n`, { mode: 0o644 });
  const { stdout } = world;
  if (values.json === true) return stdout.write(jsonLine({ file: path, ...made.view }));
  stdout.write(nextText(path, made));
}

function nextText(path: string, { view }: MadeSigningRequest): string {
  const file = printable(path);
  const stem = file.replace(/\.json$/u, '');
  return (
    `Nothing has changed yet: ${file} is to be signed.\n\n` +
    `${viewText(view)}\n` +
    `Request ${view.id.slice(0, 16)}: each signer sees these digits, and should hear them from you.\n` +
    `  1  Give ${file} to the signers. It holds no secret.\n` +
    `  2  Each of them, on their own machine: holdfast fw sign ${file} --key NAME.key\n` +
    `  3  Bring their files back, and here:   holdfast fw submit ${stem}.*.sig.json\n` +
    'How far it is, at any time: holdfast fw requests\n'
  );
}

function notAsked(): never {
  throw new Failure('E_UPDATE_REQUEST', {
    what: 'The server made another request than it was asked for. Nothing was written.',
    why: 'A server that was taken over would have people sign something else than they mean.',
    fix: 'Find out who else can change the server, and let nobody sign it.',
  });
}

/** Reads what is published, without a change. */
export function readPublished(world: World, data: string | undefined): Promise<Published> {
  return withClient(world, data, publishedOn);
}
