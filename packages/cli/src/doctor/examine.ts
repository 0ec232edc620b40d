/** Examines an installation: all checks, in the order in which they are shown. @module */
import { existsSync } from 'node:fs';
import type { ServerInfo } from '@holdfast/protocol/api';
import type { Installation } from '@holdfast/server';
import { type Access, readAccess } from '../access.ts';
import { asFailure, systemWhy } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { printable } from '../printable.ts';
import type { World } from '../world.ts';
import { checkClock } from './check-clock.ts';
import { checkDescriptors } from './check-descriptors.ts';
import { checkDisk } from './check-disk.ts';
import { checkFolder } from './check-folder.ts';
import { checkLeftovers } from './check-leftovers.ts';
import { type WantedPort, checkPorts } from './check-ports.ts';
import { checkRandom } from './check-random.ts';
import { type ListenerFacts, checkTls } from './check-tls.ts';
import { checkVersions } from './check-versions.ts';
import { type Finding, bad, good, unknown } from './finding.ts';
import { type OpenPort, isAcceptedBy, limitsOf, openPorts } from './open-ports.ts';

const CHECK = 'server';

/** What a running server says of itself. */
interface Running {
  readonly access: Access;
  readonly info: ServerInfo;
  readonly newestEntryMs: number | undefined;
}

/** Looks at everything. @param wanted - Ports of a server that does not run. */
export async function examine(
  world: World,
  installation: Installation,
  wanted: readonly WantedPort[],
): Promise<Finding[]> {
  const { folder } = installation;
  const [running, findings] = await askServer(world, installation);
  const open = openPorts();
  const isOfServer = (port: number): boolean => isAcceptedBy(folder.registry, { open, port });
  const listeners = running === undefined ? [] : listenersOf(running.info, isOfServer);
  const ports = running === undefined ? wanted : listeners;
  const checks: Readonly<Record<string, () => Finding[] | Promise<Finding[]>>> = {
    versions: () =>
      checkVersions({
        node: process.versions.node,
        openssl: process.versions.openssl,
        guards: process.execArgv,
        own: installation.version,
        running: running?.info.version,
        hasConsole: installation.hasConsole,
      }),
    clock: () =>
      checkClock({
        nowMs: world.nowMs(),
        written: [folder.log, `${folder.log}-wal`],
        newestEntryMs: running?.newestEntryMs,
        env: world.env,
      }),
    randomness: () => [checkRandom()],
    'data folder': () => checkFolder(installation),
    disk: () => {
      if (!existsSync(folder.path)) return [];
      return checkDisk(folder.path, { reserveBytes: installation.diskReserveBytes });
    },
    'unfinished work': () => checkLeftovers(installation),
    ports: () => checkPorts({ open, wanted: ports, isRunning: installation.isRunning === true }),
    'open files': () => [checkDescriptors(limitsOfServer(open, listeners), installation)],
    TLS: () => (running === undefined ? [] : checkListeners(world, running, listeners)),
  };
  for (const [name, check] of Object.entries(checks)) findings.push(...(await tried(name, check)));
  return findings;
}

/** What cannot be looked at keeps nobody from looking at the rest. */
async function tried(
  name: string,
  check: () => Finding[] | Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    const why = systemWhy(error);
    // What the system does not let us see is no mistake of ours; everything else is.
    if (why === undefined) throw error;
    return [
      unknown(name, 'It could not be looked at.', {
        why,
        fix: 'Run this as the user of the server, or as root.',
      }),
    ];
  }
}

/** A running server, and what is to be said of it. */
async function askServer(
  world: World,
  { folder, isRunning }: Installation,
): Promise<[Running | undefined, Finding[]]> {
  if (isRunning === false) {
    return [
      undefined,
      [good(CHECK, 'none runs on this data folder: its listeners are not checked')],
    ];
  }
  const access = accessOf(folder.localAccess);
  if (isRunning === undefined || access === undefined) {
    const isThere = existsSync(folder.path);
    const what =
      isRunning === true
        ? 'A server runs on this data folder, but how to reach it cannot be read.'
        : 'Whether a server runs on this data folder cannot be seen.';
    const finding = unknown(CHECK, what, {
      why: `${folder.localAccess} is missing, or is not yours to read.`,
      fix: 'Run this as the user of the server, or as root.',
    });
    return [undefined, isThere ? [finding] : []];
  }
  try {
    const client = await world.connect(access);
    try {
      const info = await client.server();
      const [newest] = await client.acts({ limit: 1 });
      const newestEntryMs = newest === undefined ? undefined : Date.parse(newest.at);
      const facts = { access, info, newestEntryMs };
      return [
        facts,
        [
          good(
            CHECK,
            `runs on this data folder, since ${localTime(info.startedAt, world.timeZone)}`,
          ),
        ],
      ];
    } finally {
      client.close();
    }
  } catch (error) {
    const { message, fix } = asFailure(error);
    return [
      undefined,
      [
        bad(CHECK, 'A server has this data folder, and does not answer.', {
          why: printable(message),
          fix,
        }),
      ],
    ];
  }
}

function accessOf(path: string): Access | undefined {
  try {
    return readAccess(path);
  } catch {
    // Open to others, or damaged: the check of the folder says so.
    return undefined;
  }
}

function listenersOf(
  { broker, api, enroll }: ServerInfo,
  isOfServer: (port: number) => boolean,
): ListenerFacts[] {
  return Object.entries({ broker, API: api, enrollment: enroll }).map(([name, url]) => {
    const { hostname, port: text } = new URL(url.replace(/^mqtts:/u, 'https:'));
    const port = Number(text || '443');
    const host = hostname.replace(/^\[|\]$/gu, '');
    return { name, host, port, isOfServer: isOfServer(port) };
  });
}

async function checkListeners(
  { nowMs, timeZone }: World,
  { access, info }: Running,
  listeners: readonly ListenerFacts[],
): Promise<Finding[]> {
  const expected = { anchorPem: access.anchorPem, pins: info.pins, nowMs: nowMs(), timeZone };
  const found = await Promise.all(listeners.map((listener) => checkTls(listener, expected)));
  return found.flat();
}

/** That of the server where it can be found by its port, else that of this process. */
function limitsOfServer(
  open: readonly OpenPort[] | undefined,
  listeners: readonly ListenerFacts[],
) {
  const [first] = listeners;
  const row = open?.find(({ port, protocol }) => protocol === 'tcp' && port === first?.port);
  const isOfServer = row?.process !== undefined;
  return { limits: limitsOf(row?.process?.pid ?? 'self'), isOfServer };
}
