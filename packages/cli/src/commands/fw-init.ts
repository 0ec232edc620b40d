/** `fw init` and `fw renew`: the first signing request, and the one that lets all live on. @module */
import type { Client } from '@holdfast/client';
import {
  type OnlineRoles,
  changedDocuments,
  firstDocuments,
  readPublicKey,
} from '@holdfast/firmware';
import type { OnlineKeys } from '@holdfast/protocol/api';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { accepted } from '../firmware/accepted.ts';
import { REQUEST_OPTIONS, askToSign, livesOf } from '../firmware/ask-to-sign.ts';
import { readSigner } from '../firmware/files.ts';
import { readLine, thresholdOf } from '../firmware/line-option.ts';

/** Makes the first request. */
export const fwInit: Command = defineCommand(
  {
    path: 'fw init',
    summary: 'begin with firmware updates: say who signs what',
    details:
      'Signers sign the roots of both repositories, and who may sign releases; give three\n' +
      'and a threshold of two, unless you have reasons. Each made their key with\n' +
      'holdfast fw key make. A --line is a product line: its release keys and threshold.',
    options: {
      signer: {
        type: 'string',
        multiple: true,
        value: 'FILE',
        help: 'public key of a signer',
      },
      threshold: { type: 'string', value: 'N', help: 'how many of them must sign (default 2)' },
      line: {
        type: 'string',
        multiple: true,
        value: 'NAME=FILES:N',
        help: 'product line, its release keys, and how many of them must sign',
      },
      ...REQUEST_OPTIONS,
    },
    examples: [
      'fw init --signer alice.pub.json --signer bob.pub.json --signer carol.pub.json --threshold 2 --line thermo=rel1.pub.json,rel2.pub.json:1',
    ],
  },
  async (world, { values }) => {
    const keys = (values.signer ?? []).map(readSigner);
    if (keys.length === 0) {
      throw usageFailure('Nobody would sign.', 'Give --signer FILE for each signer.');
    }
    const signers = { keys, threshold: thresholdOf(values.threshold ?? '2', keys.length) };
    const lines = new Map((values.line ?? []).map(readLine));
    await askToSign(world, values, async (client, published) => {
      if (published.image !== undefined) throw alreadyThere();
      const online = onlineRoles((await client.onlineKeys()).current);
      return firstDocuments({ signers, lines, online }, livesOf(world, values));
    });
  },
);

/** Makes a request in which nothing changes but when it ends. */
export const fwRenew: Command = defineCommand(
  {
    path: 'fw renew',
    summary: 'let roots, targets and product lines live on, with the same keys',
    details: 'Devices refuse what has expired: have it signed weeks before.',
    options: REQUEST_OPTIONS,
    examples: ['fw renew', 'fw renew --targets-days 90'],
  },
  async (world, { values }) => {
    await askToSign(world, values, async (_client, published) =>
      accepted(changedDocuments(published, {}, livesOf(world, values)), 'This change'),
    );
  },
);

/** Keys of the server, as it shows them. */
export function onlineRoles({ image, director }: OnlineKeys['current']): OnlineRoles {
  const key = (pem: string) => accepted(readPublicKey(pem), 'A key of the server');
  return {
    image: { snapshot: key(image.snapshot), timestamp: key(image.timestamp) },
    director: {
      targets: key(director.targets),
      snapshot: key(director.snapshot),
      timestamp: key(director.timestamp),
    },
  };
}

/** New keys of the server, made now. */
export async function newOnlineRoles(client: Client): Promise<OnlineRoles> {
  const { current, next } = await client.makeOnlineKeys();
  return onlineRoles(next ?? current);
}

function alreadyThere(): Failure {
  return new Failure('E_CLI_NOT_CONFIRMED', {
    what: 'There are keys already; nothing was changed.',
    why: 'Who signs is said once at the beginning; after that, those who sign change it.',
    fix: 'See them with holdfast fw key list, and change one with holdfast fw key rotate.',
  });
}
