/** `login`: a person signs in, and this machine keeps an API token. @module */
import type { Client, SignedIn } from '@holdfast/client';
import type { CreateTokenRequest, CreatedToken } from '@holdfast/protocol/api';
import { closing, credentialsPath, writeLogin } from '../access.ts';
import { DATA_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { askNewPassword, completeSignIn } from '../sign-in.ts';
import type { World } from '../world.ts';
import { setUpSecondFactor } from './login-second-factor.ts';
import { serverToTrust } from './login-trust.ts';

/** Signs in: with name and password, with the first code, or with an invitation. */
export const login: Command = defineCommand(
  {
    path: 'login',
    summary: 'sign in, and keep an API token on this machine',
    details:
      'The first operator gives the one-time code that the server printed at its start,\n' +
      'everybody else the one of their invitation, the first time. You choose a password\n' +
      'then, and set up an authenticator app. For a passkey, open the page /sign-in of\n' +
      'the server in a browser.\n' +
      'From another machine, say how to know the server: --ca with its root\n' +
      'certificate, or --pin as holdfast pin prints it there.',
    options: {
      server: { type: 'string', value: 'URL', help: 'address of the API (default: of --data)' },
      ca: { type: 'string', value: 'FILE', help: 'root certificate of the server, PEM' },
      pin: { type: 'string', value: 'PIN', help: 'pin of the server certificate or key' },
      invitation: { type: 'boolean', help: 'you are invited: it asks for the code of it' },
      name: { type: 'string', value: 'NAME', help: 'your name; asked for when left out' },
      'password-stdin': {
        type: 'boolean',
        help: 'read the password from standard input, and on a second line the code of your app',
      },
      first: {
        type: 'boolean',
        help: 'with --password-stdin: the second line is the one-time code of the first operator',
      },
      may: {
        type: 'string',
        value: 'ACTIONS',
        help: 'limit the token to these actions of the policy, such as reads (default: no limit)',
      },
      group: {
        type: 'string',
        value: 'GROUP',
        help: 'limit the token to the devices of a group, and to nothing else',
      },
      data: DATA_OPTION,
    },
    examples: [
      'login',
      'login --may reads',
      'login --invitation',
      'login --server https://iot.example.com:8443 --pin sha256//…',
    ],
  },
  async (world, { values }) => {
    const { input } = world;
    const isPiped = values['password-stdin'] === true;
    const isInvited = values.invitation === true;
    if (isInvited && !input.isTty) {
      throw usageFailure(
        'An invitation is redeemed at a terminal, or in a browser.',
        'Run it at a terminal, or open the link of the invitation.',
      );
    }
    const trusted = await serverToTrust(world, values);
    // Before any question: whoever is about to type a password sees who will get it.
    world.stderr.write(`Signing in to ${printable(trusted.url)}\n`);
    const label = `cli on ${world.hostName}`.slice(0, TOKEN_LABEL_CHARACTERS_MAX);
    const invitation = isInvited ? (await input.ask('Code of your invitation: ')).trim() : '';
    const signIn = isInvited
      ? (client: Client) => client.redeemInvitation(invitation)
      : signInAs(world, await askPerson(world, values), isPiped);
    const scope = scopeOf(values);
    const wish = { label, ...(scope !== undefined && { scope }) };
    const { me, token } = await tokenFor(world, trusted, { signIn, wish });
    writeLogin(world, { ...trusted, token: token.token });
    const until = localTime(token.expiresAt, world.timeZone).slice(0, -3);
    const { command } = paintFor(world.stdout);
    world.stdout.write(
      `Signed in as ${printable(me.principal.replace(/^person:/u, ''))} at ${trusted.url}, ` +
        `until ${until}.\n` +
        `The token is in ${printable(credentialsPath(world))}, for you alone.\n\n` +
        `Next: ${command('npx holdfast device list')}\n`,
    );
  },
);

/** What the token is to be good for; undefined: all that the person may do. */
function scopeOf({
  may,
  group,
}: {
  may?: string | undefined;
  group?: string | undefined;
}): CreateTokenRequest['scope'] {
  if (may === undefined && group === undefined) return undefined;
  const actions = may?.split(',').map((action) => action.trim());
  return { ...(actions !== undefined && { actions }), ...(group !== undefined && { group }) };
}

interface Person {
  readonly name: string;
  readonly password: string;
  /** The one-time code, of the first operator only. */
  readonly code: string;
  /** The code of the authenticator app, where it was piped along. */
  readonly pipedFactor: string | undefined;
}

async function askPerson(
  { input }: World,
  {
    name: givenName,
    first: isFirst,
    'password-stdin': isPiped,
  }: {
    name?: string | undefined;
    first?: boolean | undefined;
    'password-stdin'?: boolean | undefined;
  },
): Promise<Person> {
  if (!input.isTty && (givenName === undefined || isPiped !== true)) {
    throw usageFailure(
      'There is no terminal to ask for name and password.',
      'Give --name NAME --password-stdin, and the password on standard input.',
    );
  }
  if (isPiped === true) {
    const name = (givenName ?? (await input.ask('Name: '))).trim();
    const [password = '', second = ''] = (await input.readAll()).split(/\r?\n/u, 2);
    if (isFirst === true) return { name, password, code: second.trim(), pipedFactor: undefined };
    return { name, password, code: '', pipedFactor: second };
  }
  const question = 'One-time code (empty if you have signed in before): ';
  const code = (await input.ask(question)).trim();
  const name = (givenName ?? (await input.ask('Name: '))).trim();
  const password = code === '' ? input.askHidden('Password: ') : askNewPassword(input);
  return { name, code, password: await password, pipedFactor: undefined };
}

/** Signs a person in with what they have given, asking for the second factor where it is due. */
function signInAs(
  world: World,
  { name, password, code, pipedFactor }: Person,
  isPiped: boolean,
): (client: Client) => Promise<SignedIn> {
  return (client) => {
    if (code !== '') return client.signInFirst({ code, name, password });
    const askFactor = isPiped ? () => Promise.resolve(pipedFactor ?? '') : undefined;
    return completeSignIn(world, client, { name, password, askFactor });
  };
}

/** Signs in, makes a token, and ends the session, which is not needed any more. */
async function tokenFor(
  world: World,
  trusted: { readonly url: string; readonly anchorPem: string },
  {
    signIn,
    wish,
  }: {
    readonly signIn: (client: Client) => Promise<SignedIn>;
    readonly wish: CreateTokenRequest;
  },
): Promise<{ readonly me: SignedIn['me']; readonly token: CreatedToken }> {
  const { me, session } = await closing(await world.connect(trusted), signIn);
  return closing(await world.connect({ ...trusted, session }), async (client) => {
    await setUpSecondFactor(world, client, me);
    const token = await client.createToken(wish);
    await client.signOut();
    return { me, token };
  });
}

const TOKEN_LABEL_CHARACTERS_MAX = 64;
