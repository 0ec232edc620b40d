/** `fw key rotate|revoke` and `fw line set|end`: other keys, by the agreement of those who count. @module */
import {
  type KeyChange,
  type NamedKey,
  type Published,
  type Signers,
  changedDocuments,
  lineSignersOf,
  linesOf,
  peopleOf,
} from '@holdfast/firmware';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { accepted } from '../firmware/accepted.ts';
import { REQUEST_OPTIONS, askToSign, livesOf } from '../firmware/ask-to-sign.ts';
import { readSigner } from '../firmware/files.ts';
import { readLine, thresholdOf } from '../firmware/line-option.ts';
import { newOnlineRoles } from './fw-init.ts';

const THRESHOLD_OPTION = {
  type: 'string',
  value: 'N',
  help: 'how many must sign from then on, in each role that changes (default: as before)',
} as const;

/** Puts a key in the place of another one. */
export const fwKeyRotate: Command = defineCommand(
  {
    path: 'fw key rotate',
    summary: 'put a new key in the place of one, wherever it signs',
    details:
      'WHO is the name of a person, or a key id. The old signers and the new ones both have\n' +
      'to agree: the key that goes may sign too. With --online, the server makes new keys of\n' +
      'its own; they count once the roots that name them are signed. Without --by, WHO keeps\n' +
      'their key and only the threshold changes.',
    arguments: ['who?'],
    options: {
      by: { type: 'string', value: 'FILE', help: 'public key that takes its place' },
      online: { type: 'boolean', help: 'new keys for the server itself' },
      threshold: THRESHOLD_OPTION,
      ...REQUEST_OPTIONS,
    },
    examples: ['fw key rotate carol --by dave.pub.json', 'fw key rotate --online'],
  },
  async (world, { values, positionals: [who] }) => {
    if ((who === undefined) !== (values.online === true)) {
      throw usageFailure('One or the other.', 'Name whose key goes, or give --online.');
    }
    if (who !== undefined && values.by === undefined && values.threshold === undefined) {
      throw usageFailure('Nothing would change.', 'Give --by FILE, or --threshold N.');
    }
    const by = values.by === undefined ? undefined : readSigner(values.by);
    await askToSign(world, values, async (client, published) => {
      const change: KeyChange =
        who === undefined
          ? { online: await newOnlineRoles(client) }
          : replaced(published, { who, by: by ?? 'keep', threshold: values.threshold });
      return accepted(changedDocuments(published, change, livesOf(world, values)), 'This change');
    });
  },
);

/** Takes a key away. */
export const fwKeyRevoke: Command = defineCommand(
  {
    path: 'fw key revoke',
    summary: 'let a key sign nothing any more',
    details:
      'WHO is the name of a person, or a key id. What it signed alone is signed again by the\n' +
      'others. Where too few keys would be left for the threshold, rotate it instead. Devices\n' +
      'hear of it with their next look; one that slept hears of it when it is back.',
    arguments: ['who'],
    options: { threshold: THRESHOLD_OPTION, ...REQUEST_OPTIONS },
    examples: ['fw key revoke carol'],
  },
  async (world, { values, positionals: [who = ''] }) => {
    await askToSign(world, values, async (_client, published) => {
      const change = replaced(published, { who, by: undefined, threshold: values.threshold });
      return accepted(changedDocuments(published, change, livesOf(world, values)), 'This change');
    });
  },
);

/** Adds a product line, or says anew who signs its releases. */
export const fwLineSet: Command = defineCommand(
  {
    path: 'fw line set',
    summary: 'add a product line, or say anew who signs its releases',
    details:
      'NAME is the line, FILES are the public keys of those who may sign its releases, with\n' +
      'commas between them, and N is how many of them must.',
    arguments: ['name=files:n'],
    options: REQUEST_OPTIONS,
    examples: ['fw line set pump=rel1.pub.json,rel3.pub.json:2'],
  },
  async (world, { values, positionals: [text = ''] }) => {
    const lines = new Map([readLine(text)]);
    await askToSign(world, values, async (_client, published) =>
      accepted(changedDocuments(published, { lines }, livesOf(world, values)), 'This change'),
    );
  },
);

/** Ends a product line. */
export const fwLineEnd: Command = defineCommand(
  {
    path: 'fw line end',
    summary: 'end a product line: none of its releases installs any more',
    arguments: ['name'],
    options: REQUEST_OPTIONS,
    examples: ['fw line end pump'],
  },
  async (world, { values, positionals: [line = ''] }) => {
    await askToSign(world, values, async (_client, published) => {
      if (lineSignersOf(published, line) === undefined) throw nobody(`product line "${line}"`);
      const lines = new Map([[line, undefined]]);
      return accepted(
        changedDocuments(published, { lines }, livesOf(world, values)),
        'This change',
      );
    });
  },
);

interface Replacement {
  readonly who: string;
  /** The key that takes the place; `keep` leaves it there, undefined takes it away. */
  readonly by: NamedKey | 'keep' | undefined;
  readonly threshold: string | undefined;
}

/** The change of every role that has the key. */
function replaced(published: Published, replacement: Replacement): KeyChange {
  const people = replacedIn(peopleOf(published), replacement);
  const lines = new Map<string, Signers>();
  for (const line of published.targets ? linesOf(published.targets.signed) : []) {
    const signers = replacedIn(lineSignersOf(published, line), replacement);
    if (signers !== undefined) lines.set(line, signers);
  }
  if (people === undefined && lines.size === 0) throw nobody(`key of "${replacement.who}"`);
  return { ...(people && { people }), ...(lines.size > 0 && { lines }) };
}

/** Undefined when the key has no part in it. */
function replacedIn(signers: Signers | undefined, replacement: Replacement): Signers | undefined {
  const { who, by, threshold } = replacement;
  const isMeant = ({ name, key }: NamedKey): boolean => name === who || key.keyID === who;
  if (signers === undefined || !signers.keys.some(isMeant)) return undefined;
  const keys = signers.keys.flatMap((one) => {
    if (!isMeant(one) || by === 'keep') return one;
    return by ?? [];
  });
  const wanted = threshold ?? String(signers.threshold);
  if (keys.length === 0) {
    throw usageFailure(
      `${who} has the only key of a role.`,
      'Put another one in its place: holdfast fw key rotate.',
    );
  }
  return { keys, threshold: thresholdOf(wanted, keys.length) };
}

function nobody(what: string): Failure {
  return new Failure('E_CLI_NOT_CONFIRMED', {
    what: `There is no ${what}; nothing was changed.`,
    why: 'Nothing in the published metadata has this name.',
    fix: 'See who signs what: holdfast fw key list.',
  });
}
