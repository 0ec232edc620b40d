/** `ca rotate`: one step of a rotation of the issuing authorities. @module */
import type { Client } from '@holdfast/client';
import type { AuthorityStatus } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { jsonLine } from '../printable.ts';
import { readSecret } from '../secret-source.ts';
import { withStepUp } from '../step-up.ts';
import { readText } from '../text-source.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';
import { nextText, statusText } from './ca-text.ts';

type Step = AuthorityStatus['next'];

const STEPS: readonly Step[] = ['prepare', 'switch', 'finish'];

/** What a step does, before it is done. */
const STEP_TEXT: Readonly<Record<Step, string>> = {
  prepare:
    'This makes new issuing authorities and publishes them. The present ones go on to issue;\n' +
    'no device notices.',
  switch:
    'From now on the new authorities issue. The certificate of this server is issued again\n' +
    'with the same key: devices that pin the key go on to connect, as those of the SDK do.\n' +
    'A device that pins the certificate alone will not connect any more.\n' +
    'Connections that are open stay open.',
  finish:
    'Certificates of the old authorities count no more from now on, and their keys are destroyed.\n' +
    'This cannot be undone.',
};

const OPTIONS = {
  prepare: { type: 'boolean', help: 'step 1: make and publish the next generation' },
  switch: { type: 'boolean', help: 'step 2: let it issue' },
  finish: { type: 'boolean', help: 'step 3: trust the old one no more' },
  root: { type: 'string', value: 'FILE', help: 'file of the offline root, for step 1' },
  'passphrase-fd': { type: 'string', value: 'N', help: 'read its passphrase from descriptor N' },
  'passphrase-file': { type: 'string', value: 'FILE', help: 'read its passphrase from a file' },
  force: {
    type: 'string',
    value: 'REASON',
    help: 'step 3 although certificates are in use: they are revoked',
  },
  yes: { type: 'boolean', help: 'do not ask' },
  json: JSON_OPTION,
  data: DATA_OPTION,
} as const;

/** Rotates the issuing authorities, a step at a time. */
export const caRotate: Command = defineCommand(
  {
    path: 'ca rotate',
    summary: 'replace the issuing authorities, a step at a time',
    details:
      'Without a step it does the next one, after asking. Between the steps take your\n' +
      'time: devices move to the new authorities when they renew their certificates.',
    options: OPTIONS,
    examples: ['ca rotate', 'ca rotate --prepare --root root.pem', 'ca rotate --finish --yes'],
  },
  async (world, { values }) => {
    const named = STEPS.filter((step) => values[step] === true);
    const [wanted, ...more] = named;
    if (more.length > 0) {
      throw usageFailure('One step at a time.', `Give --${named.join(' or --')}, not both.`);
    }
    const before = await withClient(world, values.data, (client) => client.authority());
    const step = wanted ?? before.next;
    if (wanted === undefined && mustWait(before)) {
      const day = (iso: string): string => localTime(iso, world.timeZone).slice(0, 10);
      return world.stdout.write(`${nextText(before, day)}\n`);
    }
    if (values.yes !== true) await confirm(world, step, wanted !== undefined);
    const act = await actOf(world, { step, before, values });
    const after = await withStepUp(world, values.data, act);
    world.stdout.write(values.json === true ? jsonLine(after) : statusText(after, world));
  },
);

interface Given {
  readonly root?: string | undefined;
  readonly force?: string | undefined;
  readonly 'passphrase-fd'?: string | undefined;
  readonly 'passphrase-file'?: string | undefined;
}

type Act = (client: Client) => Promise<AuthorityStatus>;

/** What is to be asked of the server. Whatever a person has to give for it is read already. */
async function actOf(
  world: World,
  { step, before, values }: { step: Step; before: AuthorityStatus; values: Given },
): Promise<Act> {
  if (step === 'switch') return (client) => client.switchAuthority();
  if (step === 'finish') {
    const force = values.force === undefined ? {} : { force: values.force };
    return (client) => client.finishRotation(force);
  }
  if (values.root !== undefined) return prepareOffline(world, values.root, values);
  if (before.root.isKeyHere) return (client) => client.prepareAuthority({});
  throw usageFailure(
    'The key of the root is offline.',
    'Give the file that holdfast ca export-root wrote: --root FILE.',
  );
}

async function prepareOffline(world: World, path: string, values: Given): Promise<Act> {
  const text = readText(path);
  const source = {
    what: 'passphrase',
    fd: { option: 'passphrase-fd', value: values['passphrase-fd'] },
    file: { option: 'passphrase-file', value: values['passphrase-file'] },
  };
  const passphrase = await readSecret(world, source, `Passphrase of ${path}: `);
  const { signWithRoot } = await world.server();
  return async (client) => {
    const request = await client.requestGeneration();
    return client.prepareAuthority({ certificates: signWithRoot({ text, passphrase }, request) });
  };
}

/** Whether the next step would be refused, as devices still use the old generation. */
function mustWait({ next, generations }: AuthorityStatus): boolean {
  const old = generations.find(({ state }) => state === 'trusted');
  return next === 'finish' && (old?.inUse.certificates ?? 0) > 0;
}

async function confirm({ input, stdout }: World, step: Step, isNamed: boolean): Promise<void> {
  if (!input.isTty || !stdout.isTty) {
    // A script that names its step has decided; one that does not may be further than it thinks.
    if (isNamed) return;
    throw usageFailure(
      'A script has to name the step.',
      `The next one would be: holdfast ca rotate --${step}`,
    );
  }
  const question = `${STEP_TEXT[step]}\nType ${step} to go on: `;
  await typeToConfirm({ input }, { question, word: step });
}
