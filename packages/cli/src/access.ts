/** How the command line reaches its server: the local access of a data folder, or a login. @module */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Client, TransportOptions } from '@holdfast/client';
import { EXIT, Failure } from './failure.ts';
import { readPrivateFile } from './private-file.ts';
import type { World } from './world.ts';

/** Address and credential of a server. */
export interface Access {
  readonly url: string;
  readonly token: string;
  readonly anchorPem: string;
}

/** Where the server of this machine writes its local access. */
export function localAccessPath({ env }: World, data: string | undefined): string {
  return join(data ?? dataFolder(env), 'cli.json');
}

/** The data folder when none is named. */
export function dataFolder(env: World['env']): string {
  const named = env['HOLDFAST_DATA'] ?? '';
  return named === '' ? './data' : named;
}

/** Where a login is kept. */
export function credentialsPath({ env, home }: World): string {
  const base = env['XDG_CONFIG_HOME'] ?? '';
  return join(base === '' ? join(home, '.config') : base, 'holdfast', 'credentials.json');
}

/**
 * The access to use: of the data folder when a server runs on it, else of the login. A folder that
 * was named must have one: another server would not be the one that is meant.
 * @throws Failure `E_CLI_NO_SERVER`, `E_CLI_CREDENTIALS`.
 */
export function findAccess(world: World, data: string | undefined): TransportOptions {
  const localPath = localAccessPath(world, data);
  const local = readAccess(localPath);
  // A server that starts again has another local token: a long following goes on with that one.
  if (local) return { ...local, token: () => (readAccess(localPath) ?? local).token };
  const login = data === undefined ? readLogin(world) : undefined;
  if (login) return login;
  const nobody = data === undefined ? ', and nobody is logged in' : '';
  throw new Failure('E_CLI_NO_SERVER', {
    what: 'There is no server to talk to.',
    why: `${localPath} does not exist: no server runs on that folder${nobody}.`,
    fix: 'Start one here with holdfast up, or log in to another with holdfast login --server URL.',
    exitCode: EXIT.unreachable,
  });
}

/** Calls `act` with a client for the server, and closes it. */
export async function withClient<T>(
  world: World,
  data: string | undefined,
  act: (client: Client) => Promise<T>,
): Promise<T> {
  return closing(await world.connect(findAccess(world, data)), act);
}

/** Asks a server, and closes the connection. */
export async function closing<T>(client: Client, act: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await act(client);
  } finally {
    client.close();
  }
}

/** Reads a login. @throws Failure `E_CLI_CREDENTIALS`; see {@link readAccess}. */
export function readLogin(world: World): Access | undefined {
  return readAccess(credentialsPath(world));
}

/** Keeps a login, for its owner only. */
export function writeLogin(world: World, access: Access): void {
  const path = credentialsPath(world);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, `${JSON.stringify({ version: 1, ...access })}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  renameSync(partial, path);
}

/**
 * Reads a file of access; undefined when there is none.
 * @throws Failure `E_CLI_CREDENTIALS` when it is damaged, or others could have written or read it.
 */
export function readAccess(path: string): Access | undefined {
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  const access = parseAccess(text);
  if (access !== undefined) return access;
  throw new Failure('E_CLI_CREDENTIALS', {
    what: `${path} is damaged.`,
    why: 'It is no JSON with an address, a token and a certificate: it was changed, or half written.',
    fix: 'Start the server again, or log in again: holdfast login.',
  });
}

function parseAccess(text: string): Access | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('url' in value) || !('token' in value) || !('anchorPem' in value)) return undefined;
  const { url, token, anchorPem } = value;
  if (typeof url !== 'string' || !url.startsWith('https://')) return undefined;
  if (typeof token !== 'string' || typeof anchorPem !== 'string') return undefined;
  return { url, token, anchorPem };
}
