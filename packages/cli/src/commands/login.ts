/** `login`: a person signs in, and this machine keeps an API token. @module */
import type { Client } from '@holdfast/client';
import { PASSWORD_LENGTH } from '@holdfast/protocol/api';
import type { CreatedToken } from '@holdfast/protocol/api';
import { credentialsPath, writeLogin } from '../access.ts';
import { DATA_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import type { World } from '../world.ts';
import { serverToTrust } from './login-trust.ts';

/** Signs in, the first operator with the one-time code. */
export const login: Command = defineCommand(
  {
    path: 'login',
    summary: 'sign in, and keep an API token on this machine',
    details:
      'The first operator gives the one-time code that the server printed at its start.\n' +
      'From another machine, say how to know the server: --ca with its root\n' +
      'certificate, or --pin as holdfast pin prints it there.',
    options: {
      server: { type: 'string', value: 'URL', help: 'address of the API (default: of --data)' },
      ca: { type: 'string', value: 'FILE', help: 'root certificate of the server, PEM' },
      pin: { type: 'string', value: 'PIN', help: 'pin of the server certificate or key' },
      code: { type: 'string', value: 'CODE', help: 'one-time code, for the first operator' },
      name: { type: 'string', value: 'NAME', help: 'your name; asked for when left out' },
      'password-stdin': { type: 'boolean', help: 'read the password from standard input' },
      data: DATA_OPTION,
    },
    examples: [
      'login --code XXXX-XXXX-XXXX-XXXX',
      'login --server https://iot.example.com:8443 --pin sha256//…',
    ],
  },
  async (world, { values }) => {
    const trusted = await serverToTrust(world, values);
    // Before any question: whoever is about to type a password sees who will get it.
    world.stderr.write(`Signing in to ${printable(trusted.url)}\n`);
    const person = await askPerson(world, values);
    const label = `cli on ${world.hostName}`.slice(0, TOKEN_LABEL_CHARACTERS_MAX);
    const { token, expiresAt } = await tokenFor(world, trusted, { person, label });
    writeLogin(world, { ...trusted, token });
    const until = localTime(expiresAt, world.timeZone).slice(0, -3);
    const { command } = paintFor(world.stdout);
    world.stdout.write(
      `Signed in as ${person.name} at ${trusted.url}, until ${until}.\n` +
        `The token is in ${printable(credentialsPath(world))}, for you alone.\n\n` +
        `Next: ${command('npx holdfast device list')}\n`,
    );
  },
);

interface Person {
  readonly name: string;
  readonly password: string;
  /** The one-time code, of the first operator only. */
  readonly code: string;
}

async function askPerson(
  { input }: World,
  {
    code: givenCode,
    name: givenName,
    'password-stdin': isPiped,
  }: {
    code?: string | undefined;
    name?: string | undefined;
    'password-stdin'?: boolean | undefined;
  },
): Promise<Person> {
  if (!input.isTty && (givenName === undefined || isPiped !== true)) {
    throw usageFailure(
      'There is no terminal to ask for name and password.',
      'Give --name NAME --password-stdin, and the password on standard input.',
    );
  }
  const isAsking = givenCode === undefined && isPiped !== true;
  const code = isAsking
    ? await input.ask('One-time code (empty if you have signed in before): ')
    : (givenCode ?? '');
  const name = givenName ?? (await input.ask('Name: '));
  if (isPiped === true) {
    const [password = ''] = (await input.readAll()).split(/\r?\n/u, 1);
    return { name: name.trim(), password, code: code.trim() };
  }
  const password = await input.askHidden('Password: ');
  if (code.trim() !== '') await checkNewPassword(password, () => input.askHidden('Once more: '));
  return { name: name.trim(), password, code: code.trim() };
}

async function checkNewPassword(password: string, again: () => Promise<string>): Promise<void> {
  const { min, max } = PASSWORD_LENGTH;
  if (password.length < min || password.length > max) {
    throw new Failure('E_CLI_PASSWORD', {
      what: `A password has ${min} to ${max} characters; this one has ${password.length}.`,
      fix: 'Take four or five words that nobody would guess together.',
    });
  }
  if ((await again()) === password) return;
  throw new Failure('E_CLI_PASSWORD', {
    what: 'The two passwords are not the same.',
    fix: 'Run the command again.',
  });
}

/** Signs in, makes a token, and ends the session, which is not needed any more. */
async function tokenFor(
  world: World,
  trusted: { readonly url: string; readonly anchorPem: string },
  { person: { name, password, code }, label }: { person: Person; label: string },
): Promise<CreatedToken> {
  const signIn = (client: Client) =>
    code === '' ? client.signIn({ name, password }) : client.signInFirst({ code, name, password });
  const { session } = await closing(world.connect(trusted), signIn);
  return closing(world.connect({ ...trusted, session }), async (client) => {
    const token = await client.createToken({ label });
    await client.signOut();
    return token;
  });
}

async function closing<T>(client: Client, act: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await act(client);
  } finally {
    client.close();
  }
}

const TOKEN_LABEL_CHARACTERS_MAX = 64;
