/** `person`: who there is, inviting people, changing what they are, and letting them go. @module */
import { PERSON_ROLES } from '@holdfast/protocol/api';
import type { Invitation, PersonRole, PersonView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { nearest } from '../suggest.ts';
import { table } from '../table.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';

const OUTPUT_OPTIONS = { json: JSON_OPTION, data: DATA_OPTION } as const;
const YES_OPTION = { type: 'boolean', help: 'do not ask' } as const;

/** Invites a person. */
export const personAdd: Command = defineCommand(
  {
    path: 'person add',
    summary: 'invite a person; prints a link and a code for them',
    details:
      `The roles: ${PERSON_ROLES.join(', ')}.\n` +
      'The code works once, for a day: give it to that person and nobody else.',
    arguments: ['name'],
    options: {
      role: { type: 'string', value: 'ROLE', help: 'what the person may do' },
      ...OUTPUT_OPTIONS,
    },
    examples: ['person add grace --role operator'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    const role = readRole(values.role, `person add ${name} --role`);
    const invitation = await withStepUp(world, values.data, (client) =>
      client.invitePerson({ name, role }),
    );
    showInvitation(world, invitation, values.json);
  },
);

/** Lists the people. */
export const personList: Command = defineCommand(
  {
    path: 'person list',
    summary: 'list the people, their roles and what they sign in with',
    options: OUTPUT_OPTIONS,
    examples: ['person list'],
  },
  async (world, { values }) => {
    const people = await withClient(world, values.data, (client) => client.people());
    const { stdout, timeZone } = world;
    if (values.json === true) return stdout.write(jsonLine(people));
    if (people.length === 0) {
      return stdout.write(
        'Nobody yet. The first operator: holdfast login, with the one-time code.\n',
      );
    }
    const rows = people.map(({ name, role, state, factors, invitedUntil }) => {
      const until = invitedUntil === undefined ? '' : localTime(invitedUntil, timeZone);
      const waiting = until === '' ? '' : `invited until ${until.slice(0, -3)}`;
      return [printable(name), role, state, factors.join(' + '), waiting];
    });
    stdout.write(table(rows));
  },
);

/** Changes the role of a person. */
export const personRole: Command = defineCommand(
  {
    path: 'person role',
    summary: 'change the role of a person, at once',
    details: `The roles: ${PERSON_ROLES.join(', ')}.`,
    arguments: ['name', 'role'],
    options: OUTPUT_OPTIONS,
    examples: ['person role grace security-officer'],
  },
  async (world, { values, positionals: [name = '', text = ''] }) => {
    const role = readRole(text, `person role ${name}`);
    const person = await withStepUp(world, values.data, (client) =>
      client.setPersonRole(name, role),
    );
    showPerson(world, person, { ...values, said: `is ${person.role} from now on` });
  },
);

/** Shuts a person out. */
export const personDisable: Command = defineCommand(
  {
    path: 'person disable',
    summary: 'shut a person out at once, without forgetting them',
    details: 'Sessions and connections end now; API tokens rest until: holdfast person enable.',
    arguments: ['name'],
    options: OUTPUT_OPTIONS,
    examples: ['person disable grace'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    const person = await withStepUp(world, values.data, (client) => client.disablePerson(name));
    showPerson(world, person, { ...values, said: 'is shut out' });
  },
);

/** Lets a disabled person in again. */
export const personEnable: Command = defineCommand(
  {
    path: 'person enable',
    summary: 'let a disabled person in again',
    arguments: ['name'],
    options: OUTPUT_OPTIONS,
    examples: ['person enable grace'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    const person = await withStepUp(world, values.data, (client) => client.enablePerson(name));
    showPerson(world, person, { ...values, said: 'may sign in again' });
  },
);

/** Removes a person. */
export const personRemove: Command = defineCommand(
  {
    path: 'person remove',
    summary: 'remove a person, with sessions and API tokens',
    details: 'What they did stays on the audit log. On a terminal it asks first.',
    arguments: ['name'],
    options: { yes: YES_OPTION, ...OUTPUT_OPTIONS },
    examples: ['person remove grace'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    await confirm(world, values.yes, { name, what: `This removes ${name} for good.` });
    await withStepUp(world, values.data, (client) => client.removePerson(name));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ removed: name }));
    stdout.write(`${printable(name)} is removed.\n`);
  },
);

/** Takes everything away that a person signs in with. */
export const personResetFactors: Command = defineCommand(
  {
    path: 'person reset-factors',
    summary: 'take away all that a person signs in with, and invite them again',
    details:
      'For somebody who has lost phone and recovery codes, or whose password leaked:\n' +
      'password, authenticator app, passkeys, sessions and API tokens all end.',
    arguments: ['name'],
    options: { yes: YES_OPTION, ...OUTPUT_OPTIONS },
    examples: ['person reset-factors grace'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    const what = `This ends all that ${name} signs in with, and their API tokens.`;
    await confirm(world, values.yes, { name, what });
    const invitation = await withStepUp(world, values.data, (client) =>
      client.resetPersonFactors(name),
    );
    showInvitation(world, invitation, values.json);
  },
);

function readRole(text: string | undefined, command: string): PersonRole {
  const found = PERSON_ROLES.find((role) => role === text);
  if (found !== undefined) return found;
  const meant = nearest(text ?? '', PERSON_ROLES) ?? 'viewer';
  throw usageFailure(
    text === undefined ? 'The role of the person is missing.' : `There is no role "${text}".`,
    `For example: holdfast ${command} ${meant} (one of ${PERSON_ROLES.join(', ')}).`,
  );
}

function showInvitation(
  { stdout, timeZone }: World,
  invitation: Invitation,
  isJson: boolean | undefined,
): void {
  if (isJson === true) return stdout.write(jsonLine(invitation));
  const { person, code, link, expiresAt } = invitation;
  const paint = paintFor(stdout);
  const until = localTime(expiresAt, timeZone).slice(0, -3);
  stdout.write(
    `${paint.strong(printable(person.name))} (${person.role}) is invited, once, until ${until}.\n` +
      `Give them, and nobody else, this link:\n\n  ${paint.strong(printable(link))}\n\n` +
      `or for a terminal the code ${paint.strong(printable(code))}, for which this asks:\n\n` +
      `  ${paint.command('npx holdfast login --invitation')}\n`,
  );
}

function showPerson(
  { stdout }: World,
  person: PersonView,
  { json, said }: { readonly json?: boolean | undefined; readonly said: string },
): void {
  if (json === true) return stdout.write(jsonLine(person));
  stdout.write(`${printable(person.name)} ${said}.\n`);
}

async function confirm(
  { input, stdout }: World,
  isSure: boolean | undefined,
  { name, what }: { readonly name: string; readonly what: string },
): Promise<void> {
  if (isSure === true || !input.isTty || !stdout.isTty) return;
  const question = `${what} Type the name to go on: `;
  await typeToConfirm({ input }, { question, word: name, not: `Nothing was done to ${name}.` });
}
