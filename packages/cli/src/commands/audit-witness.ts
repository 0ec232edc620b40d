/** `audit witness`: watches from outside that the log of a server only grows. @module */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ApiError } from '@holdfast/client';
import type { Client } from '@holdfast/client';
import { Problem, parseVerifierKey, tilePath } from '@holdfast/protocol/merkle';
import type { CheckpointVerifier } from '@holdfast/protocol/merkle';
import { findAccess } from '../access.ts';
import { defineCommand, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, systemCode, usageFailure } from '../failure.ts';
import { sha256, verifyEd25519 } from '../note-crypto.ts';
import { printable } from '../printable.ts';
import { readSecret } from '../secret-source.ts';
import { readText, textFrom } from '../text-source.ts';
import { openWitnessFolder } from '../witness/folder.ts';
import type { WitnessFolder } from '../witness/folder.ts';
import { witnessRound } from '../witness/round.ts';
import type { LogSource, Round } from '../witness/round.ts';
import type { World } from '../world.ts';
import { serverToTrust } from './login-trust.ts';

const INTERVAL_S = { min: 1, max: 86_400, default: '60' } as const;

const OPTIONS = {
  'log-key': { type: 'string', value: 'KEY', help: 'verifier key of the log, or @FILE' },
  data: { type: 'string', value: 'FOLDER', help: 'folder of the witness (default ./witness)' },
  name: { type: 'string', value: 'NAME', help: 'name of a new witness (default: this machine)' },
  url: { type: 'string', value: 'URL', help: 'API of the server; without it, that of your login' },
  ca: { type: 'string', value: 'FILE', help: 'trust anchor of the server, PEM' },
  pin: { type: 'string', value: 'PIN', help: 'what holdfast pin prints on the server' },
  'token-file': { type: 'string', value: 'FILE', help: 'API token, in a file of mode 0600' },
  'token-fd': { type: 'string', value: 'NUMBER', help: 'API token, on a file descriptor' },
  every: { type: 'string', value: 'SECONDS', help: 'how often to look (default 60)' },
  once: { type: 'boolean', help: 'look once, and end' },
  checkpoint: { type: 'string', value: 'FILE', help: 'without a server: judge this checkpoint' },
  tiles: { type: 'string', value: 'FOLDER', help: 'its tiles, as /v1/log serves them' },
} as const;

type Options = { readonly [Name in keyof typeof OPTIONS]?: string | boolean | undefined };

/** Cosigns what is consistent, and raises an alarm about what is not. */
export const auditWitness: Command = defineCommand(
  {
    path: 'audit witness',
    summary: 'watch from outside that the log of a server only grows, and cosign it',
    details:
      'Run it on another machine, under somebody else: with it, even who holds the\n' +
      'whole server cannot rewrite the past unseen. It fetches each checkpoint, checks\n' +
      'that the log has only grown since the last one, and cosigns it. Of the entries\n' +
      'it learns how many there are. The token is that of an auditor. An alarm ends it\n' +
      'with exit code 1, and what proves it is kept in the folder.\n' +
      'With neither --url nor a login it makes the key, and prints it.',
    options: OPTIONS,
    examples: [
      'audit witness --log-key @log.pub --url https://iot.example.com:8443 --pin sha256//… --token-file ./token',
      'audit witness --log-key @log.pub --checkpoint ./checkpoint.txt --tiles ./tiles',
    ],
  },
  async (world, { values }) => {
    const folder = openWitnessFolder(values.data ?? './witness', values.name ?? world.hostName);
    try {
      await witness(world, folder, values);
    } finally {
      folder.close();
    }
  },
);

async function witness(world: World, folder: WitnessFolder, values: Options): Promise<void> {
  const { 'log-key': logKey, checkpoint } = values;
  world.stderr.write(`Witness ${printable(folder.keyText)}\n`);
  if (folder.isNew) {
    const command = `holdfast witness add '${printable(folder.keyText)}'`;
    world.stderr.write(`Its key is new. Tell the server, on its machine:\n  ${command}\n`);
  }
  if (logKey === undefined) {
    if (folder.isNew) return;
    throw usageFailure(
      'A witness needs --log-key, the key of the log.',
      'Copy log.pub from the data folder of the server, and give --log-key @log.pub.',
    );
  }
  const log = verifierOf(await textFrom(String(logKey), world));
  if (checkpoint !== undefined) return judgeFile(world, { folder, log }, values);
  await watch(world, { folder, log }, values);
}

interface Watch {
  readonly folder: WitnessFolder;
  readonly log: CheckpointVerifier;
}

/** Without a server: the checkpoint and its tiles came on some other way. */
async function judgeFile(
  world: World,
  { folder, log }: Watch,
  { checkpoint, tiles }: Options,
): Promise<void> {
  const source: LogSource = {
    checkpoint: () => Promise.resolve(readText(String(checkpoint))),
    tile: (name) =>
      Promise.resolve(tiles === undefined ? undefined : readTile(String(tiles), tilePath(name))),
  };
  const round = await witnessRound({ folder, log, nowMs: world.nowMs() }, source);
  world.stdout.write(round.cosigned);
  tell(world, round);
}

async function watch(world: World, { folder, log }: Watch, values: Options): Promise<void> {
  const everyS = integerOption(String(values.every ?? INTERVAL_S.default), {
    name: 'every',
    ...INTERVAL_S,
  });
  const client = await world.connect(await accessOf(world, values));
  const stopped = new AbortController();
  world.onStopSignal(() => stopped.abort());
  try {
    for (;;) {
      await look(world, { folder, log, client }, values.once === true);
      if (values.once === true || stopped.signal.aborted) return;
      await wait(everyS * 1_000, undefined, { signal: stopped.signal }).catch(() => {});
      if (stopped.signal.aborted) return;
    }
  } finally {
    client.close();
  }
}

/** One look, which a server that is away, or does not know the witness yet, does not end. */
async function look(
  world: World,
  { folder, log, client }: Watch & { readonly client: Client },
  isOnly: boolean,
): Promise<void> {
  try {
    const round = await witnessRound({ folder, log, nowMs: world.nowMs() }, sourceOf(client));
    await client.cosigned(round.cosigned);
    tell(world, round);
  } catch (error) {
    if (error instanceof Failure && error.code.startsWith('E_WITNESS_')) {
      await tellServer(client, folder);
      throw error;
    }
    const isPassing =
      error instanceof ApiError &&
      (error.code === 'E_AUDIT_COSIGNATURE' || error.code.startsWith('E_CLIENT_UNREACHABLE'));
    if (isOnly || !isPassing) throw error;
    world.stderr.write(`${error.message} ${error.fix}\n`);
  }
}

/** A server that was set back learns it from what its own key has signed. */
async function tellServer(client: Client, folder: WitnessFolder): Promise<void> {
  const last = folder.last();
  // Its answer changes nothing: the alarm is raised here.
  if (last !== undefined) await client.cosigned(last).catch(() => {});
}

function sourceOf(client: Client): LogSource {
  return {
    checkpoint: () => client.checkpoint(),
    tile: async (name) => {
      try {
        return await client.logTile(name);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}

async function accessOf(world: World, values: Options) {
  if (values.url === undefined) return findAccess(world, undefined);
  const text = (value: string | boolean | undefined) =>
    typeof value === 'string' ? value : undefined;
  const trust = { server: text(values.url), ca: text(values.ca), pin: text(values.pin) };
  const { url, anchorPem } = await serverToTrust(world, trust);
  const source = {
    what: 'API token',
    fd: { option: 'token-fd', value: text(values['token-fd']) },
    file: { option: 'token-file', value: text(values['token-file']) },
  };
  return { url, anchorPem, token: await readSecret(world, source, 'API token: ') };
}

function tell({ stderr, nowMs }: World, { size, isFirst }: Round): void {
  const count = new Intl.NumberFormat('en').format(size);
  const how = isFirst ? 'taken as the first one' : 'consistent';
  stderr.write(`${new Date(nowMs()).toISOString()}  ${count} entries, ${how}, cosigned\n`);
}

function verifierOf(text: string): CheckpointVerifier {
  const key = parseVerifierKey(sha256, text);
  if (key instanceof Problem) {
    throw usageFailure(`--log-key: ${key.problem}.`, 'Copy log.pub from the data folder.');
  }
  return { ...key, verify: verifyEd25519 };
}

function readTile(folder: string, path: string): Uint8Array | undefined {
  try {
    return readFileSync(join(folder, path));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}
