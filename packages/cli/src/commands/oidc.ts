/** `oidc`: the OpenID provider at which people may sign in. @module */
import { PERSON_ROLES } from '@holdfast/protocol/api';
import type { OidcSettings, OidcSettingsRequest } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { jsonLine, printable } from '../printable.ts';
import { readPrivateFile } from '../private-file.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import { readText } from '../text-source.ts';
import type { World } from '../world.ts';

const OUTPUT_OPTIONS = { json: JSON_OPTION, data: DATA_OPTION } as const;

/** Sets the provider. */
export const oidcSet: Command = defineCommand(
  {
    path: 'oidc set',
    summary: 'let people sign in at an OpenID provider',
    details:
      'Who comes from there gets the role that a claim of theirs maps to; without one\n' +
      'nobody gets in, and nobody becomes administrator this way. The secret stands in\n' +
      'a file that only you can read.',
    arguments: ['issuer'],
    options: {
      'client-id': { type: 'string', value: 'ID', help: 'the client id at the provider' },
      'secret-file': { type: 'string', value: 'FILE', help: 'file with the secret, mode 0600' },
      'roles-claim': { type: 'string', value: 'CLAIM', help: 'claim with roles (default groups)' },
      'name-claim': {
        type: 'string',
        value: 'CLAIM',
        help: 'claim with the name (default preferred_username)',
      },
      role: { type: 'string', multiple: true, value: 'VALUE=ROLE', help: 'which value gives what' },
      ca: { type: 'string', value: 'FILE', help: 'trust anchors of the provider, PEM' },
      ...OUTPUT_OPTIONS,
    },
    examples: [
      'oidc set https://id.example.com --client-id holdfast --secret-file ./oidc.secret ' +
        '--role iot-operators=operator --role iot-readers=viewer',
    ],
  },
  async (world, { values, positionals: [issuer = ''] }) => {
    const clientId = values['client-id'];
    const secretFile = values['secret-file'];
    if (clientId === undefined || secretFile === undefined || values.role === undefined) {
      throw usageFailure(
        'The provider needs --client-id, --secret-file and at least one --role.',
        'See holdfast oidc set --help.',
      );
    }
    const request: OidcSettingsRequest = {
      issuer,
      clientId,
      clientSecret: readSecret(secretFile),
      rolesClaim: values['roles-claim'] ?? 'groups',
      ...(values['name-claim'] === undefined ? {} : { nameClaim: values['name-claim'] }),
      ...(values.ca === undefined ? {} : { anchorsPem: readText(values.ca) }),
      roles: Object.fromEntries(values.role.map(readMapping)),
    };
    const settings = await withStepUp(world, values.data, (client) => client.setOidc(request));
    show(world, settings, values.json);
  },
);

/** Shows the provider. */
export const oidcShow: Command = defineCommand(
  {
    path: 'oidc show',
    summary: 'show the OpenID provider, and what to enter there',
    options: OUTPUT_OPTIONS,
    examples: ['oidc show'],
  },
  async (world, { values }) => {
    const settings = await withClient(world, values.data, (client) => client.oidc());
    show(world, settings, values.json);
  },
);

/** Forgets the provider. */
export const oidcRemove: Command = defineCommand(
  {
    path: 'oidc remove',
    summary: 'let nobody sign in at the OpenID provider any more',
    details: 'Who came from there stays listed: holdfast person remove.',
    options: OUTPUT_OPTIONS,
    examples: ['oidc remove'],
  },
  async (world, { values }) => {
    await withStepUp(world, values.data, (client) => client.removeOidc());
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ removed: true }));
    stdout.write('Nobody signs in there any more.\n');
  },
);

type MappedRole = OidcSettingsRequest['roles'][string];

function readMapping(text: string): [string, MappedRole] {
  const at = text.lastIndexOf('=');
  const [value, name] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  const role = PERSON_ROLES.find((role) => role === name);
  if (value !== '' && role !== undefined && role !== 'administrator') return [value, role];
  const roles = PERSON_ROLES.filter((role) => role !== 'administrator').join(', ');
  throw usageFailure(
    `"${text}" does not say which value of the claim gives which role.`,
    `Give it as VALUE=ROLE, with one of ${roles}.`,
  );
}

function readSecret(path: string): string {
  const secret = readPrivateFile(path)?.trim();
  if (secret !== undefined && secret !== '') return secret;
  throw new Failure('E_CLI_FILE', {
    what: `${path} holds no secret.`,
    why: 'It is empty, or has more than one line.',
    fix: 'Put the secret of the provider into it, and nothing else; then chmod 600.',
  });
}

function show({ stdout }: World, settings: OidcSettings, isJson: boolean | undefined): void {
  if (isJson === true) return stdout.write(jsonLine(settings));
  const { issuer, clientId, rolesClaim, nameClaim, roles, redirectUri } = settings;
  const rows = [
    ['issuer', issuer],
    ['client id', clientId],
    ['redirect URI', redirectUri],
    ['name', `claim ${nameClaim}`],
    ...Object.entries(roles).map(([value, role]) => [role, `claim ${rolesClaim} has "${value}"`]),
  ];
  stdout.write(table(rows.map((row) => row.map(printable))));
}
