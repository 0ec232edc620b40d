/** The API on a real store with real people and devices, for the tests of this folder. @module */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Release } from '@holdfast/firmware';
import { Refusal, parseTenantName, refuse } from '@holdfast/protocol';
import { SESSION_COOKIE } from '@holdfast/protocol/api';
import type { HttpBindings } from '@hono/node-server';
import { Counter, Registry } from 'prom-client';
import { type Act, LastVerification, type ServerEvent, Witnesses } from '../audit/index.ts';
import { LabLog } from '../audit/lab.testing.ts';
import { Backups } from '../backup/index.ts';
import { Buckets, folderBucket } from '../buckets/index.ts';
import { generatePrivateKey, softwareCustody, softwareKeyHandle } from '../crypto/index.ts';
import { AuthorityKeeper, Pairing, issueClaim, prepareClaim } from '../enroll/index.ts';
import { TestClock } from '../kernel/clock.testing.ts';
import {
  type Clock,
  type RefusalReport,
  Secret,
  createLog,
  systemRandom,
} from '../kernel/index.ts';
import { present } from '../kernel/refusal.testing.ts';
import { SealedStore } from '../persistence/index.ts';
import { checkAppCertificate, checkClientCertificate } from '../pki/index.ts';
import { openPolicies } from '../policy/lab.testing.ts';
import {
  ClassSettings,
  type Device,
  DeviceApiKeys,
  DeviceRegistry,
  LastSeen,
  Manufacturers,
  Owners,
  PayloadKeySource,
  People,
} from '../registry/index.ts';
import { AppGate, AppSessions, type ConnectionFacts, Gate, Presence } from '../session/index.ts';
import {
  type ActRecord,
  Figures,
  type History,
  type Page,
  type Reading,
  type RefusalRecord,
  type Traffic,
} from '../telemetry/index.ts';
import { OnlineKeys, Rollouts, openUpdateParts } from '../update/index.ts';
import { signCommand } from '../verify/index.ts';
import { type Api, createApi } from './api.ts';
import { ConsoleFiles } from './console-files.ts';
import type { ApiDeps } from './deps.ts';

export { present } from '../kernel/refusal.testing.ts';

/** A history in memory. */
export class FakeHistory<T extends { readonly index: number }> implements History<T> {
  readonly items: T[] = [];
  readonly listeners = new Set<(item: T) => void>();
  readonly pages: Page[] = [];

  read(page: Page): Promise<T[]> {
    this.pages.push(page);
    const { limit, before = Infinity } = page;
    const found = this.items.filter(({ index }) => index < before).reverse();
    return Promise.resolve(found.slice(0, limit));
  }

  follow(listener: (item: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  push(item: T): void {
    this.items.push(item);
    for (const listener of this.listeners) listener(item);
  }
}

/** One request to the API. */
export interface LabRequest {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly rawBody?: string | Uint8Array<ArrayBuffer>;
  readonly token?: string | undefined;
  readonly session?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** IP address of the caller. */
  readonly address?: string;
  readonly onSocketDestroyed?: () => void;
}

/** The parts behind the API, and the API. */
export interface Lab {
  readonly clock: TestClock;
  readonly storePath: string;
  readonly store: SealedStore;
  readonly registry: DeviceRegistry;
  readonly people: People;
  /** Who is connected. */
  readonly connected: Map<string, ConnectionFacts>;
  readonly lastSeen: LastSeen;
  readonly readings: FakeHistory<Reading>;
  readonly refusals: FakeHistory<RefusalRecord>;
  readonly acts: FakeHistory<ActRecord>;
  readonly deps: ApiDeps;
  readonly api: Api;
  readonly recorded: Act[];
  readonly reports: RefusalReport[];
  /** What the server noticed of itself. */
  readonly events: ServerEvent[];
  /** The log that witnesses have seen, or not. */
  readonly labLog: LabLog;
  /** Releases that can be rolled out. */
  readonly rolledOut: Map<string, Release>;
  /** What the server has counted. */
  readonly traffic: { -readonly [K in keyof Traffic]: Traffic[K] };
  /** Tells of changes of `connected`. */
  readonly presence: Presence;
  /** Looks only when it is told to. */
  readonly figures: Figures;
  readonly logLines: string[];
  /** Called before an act counts as recorded; throw to make recording fail. */
  journal: { isReady: boolean; beforeRecord: (act: Act) => void | Promise<void> };
  readonly localToken: string;
  readonly call: (method: string, path: string, request?: LabRequest) => Promise<Response>;
  /** The session of a first operator named ada. */
  readonly signInFirst: () => Promise<string>;
  /** An API token of a person. */
  readonly createToken: (
    session: string,
    lifeMs?: number,
  ) => Promise<{ id: string; token: string }>;
}

/** A revocation list, though not a signed one. */
export const LAB_CRL = {
  issuer: '1a2b3c4d',
  der: Buffer.from('3000', 'hex'),
  number: 7,
  thisUpdateMs: Date.UTC(2026, 10, 21),
  nextUpdateMs: Date.UTC(2026, 10, 22),
  count: 3,
} as const;

export const ORIGIN = 'https://server.example:8443';
export const PASSWORD = 'correct horse battery';

/** Who is connected, as the sessions would tell it. */
class Connected extends Map<string, ConnectionFacts> {
  readonly #registry: DeviceRegistry;

  constructor(registry: DeviceRegistry) {
    super();
    this.#registry = registry;
  }

  override set(id: string, facts: ConnectionFacts): this {
    this.#registry.columns.noteOnline(id, true);
    return super.set(id, facts);
  }

  override delete(id: string): boolean {
    this.#registry.columns.noteOnline(id, false);
    return super.delete(id);
  }
}

const tenant = present(parseTenantName('default'));
const unsealKey = systemRandom(32);
let made: Uint8Array | undefined;

/**
 * A store in which the authority, the keys of the repositories and the policy are there. To make them
 * takes longer than most tests: the first lab of a process does, the others begin with a copy.
 */
function openStore(path: string): SealedStore {
  const options = { unsealKey: new Secret(unsealKey), random: systemRandom };
  if (made === undefined) {
    const [store, clock] = [new SealedStore(path, options), new TestClock()];
    openKeeper(store, clock);
    openPolicies(store, clock);
    new OnlineKeys({ store, clock }).newest();
    store.close();
    made = readFileSync(path);
  } else writeFileSync(path, made, { mode: 0o600 });
  return new SealedStore(path, options);
}

function openKeeper(store: SealedStore, clock: Clock): AuthorityKeeper {
  return new AuthorityKeeper(store, {
    clock,
    random: systemRandom,
    tenant,
    names: ['server.example'],
    custody: softwareCustody,
    custodyName: 'data folder',
  });
}

/** A lab that is gone after the test. */
export function openLab(context: TestContext): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-operate-'));
  const storePath = join(folder, 'registry.db');
  const clock = new TestClock();
  const random = systemRandom;
  const store = openStore(storePath);
  context.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const registry = new DeviceRegistry(store, { clock });
  const people = new People(store, { clock, random });
  const payloadKeys = new PayloadKeySource(store.keyring, { tenant: 'default' });
  const readings = new FakeHistory<Reading>();
  const refusals = new FakeHistory<RefusalRecord>();
  const acts = new FakeHistory<ActRecord>();
  const recorded: Act[] = [];
  const connected = new Connected(registry);
  const lastSeen = new LastSeen(store, { clock, columns: registry.columns });
  const reports: RefusalReport[] = [];
  const events: ServerEvent[] = [];
  const labLog = new LabLog();
  const logLines: string[] = [];
  const journal: Lab['journal'] = { isReady: true, beforeRecord: () => {} };
  const metrics = new Registry();
  new Counter({ name: 'holdfast_lab_total', help: 'A figure.', registers: [metrics] }).inc();
  let commandCounter = 0;
  const host = 'server.example';
  const claimPlace = { random, clock, host, port: 8444, anchorPin: 'A'.repeat(43) };
  const keeper = openKeeper(store, clock);
  const owners = new Owners(store, { clock, random });
  const rolledOut = new Map<string, Release>();
  const silent = createLog({ form: 'json', level: 'silent', write: () => {} });
  const traffic: Lab['traffic'] = { accepted: 0, refused: {}, connections: 0, sessions: 0 };
  const presence = new Presence();
  const figures = new Figures({ clock, log: silent, store, read: () => ({ ...traffic }) });
  const { authority } = keeper;
  const pairing = new Pairing({ clock, registry, owners, authority, tenant, host });
  const issuedBy = (): Parameters<typeof checkAppCertificate>[1] => ({
    authority: keeper.authority,
    tenant,
    nowMs: clock.nowMs(),
  });
  const gate = new Gate({
    registry,
    check: (certificate) => checkClientCertificate(certificate, issuedBy()),
    apps: new AppGate({
      owners,
      check: (certificate) => checkAppCertificate(certificate, issuedBy()),
      hasIssuerEnded: () => false,
    }),
  });
  const deps: ApiDeps = {
    clock,
    random,
    gate,
    appSessions: new AppSessions({ clock, random, gate, owners }),
    isOwnName: (hostname) => hostname === host,
    policies: openPolicies(store, clock, (deviceId) => owners.ownerOf(deviceId)),
    log: createLog({ form: 'json', level: 'info', write: (line) => logLines.push(line) }),
    report: (report) => void reports.push(report),
    recordAct: async (act) => {
      await journal.beforeRecord(act);
      recorded.push(act);
    },
    recordEvent: (event) => Promise.resolve(void events.push(event)),
    tiles: labLog.tiles,
    witnesses: new Witnesses(store, labLog.asSeenAt(clock)),
    registry,
    apiKeys: new DeviceApiKeys(store, { clock, random, registry }),
    classSettings: new ClassSettings(store),
    manufacturers: new Manufacturers(store, { clock, registry }),
    people,
    histories: { readings: () => readings, refusals, acts },
    targetActs: {
      of: async (target, page) => ({
        acts: (await acts.read(page)).filter((act) => act.target === target),
        next: undefined,
      }),
    },
    deviceCommands: () => Promise.resolve({ commands: [], next: undefined }),
    lastSeen,
    sessions: {
      isConnected: (id) => connected.has(id),
      connectionOf: (id) => connected.get(id),
      sessionOf: () => undefined,
      endedOf: () => [],
    },
    issueClaim: (device, by) => issueClaim(device, { ...claimPlace, registry, by }),
    prepareClaim: (deviceId, lifeMs) => prepareClaim(deviceId, { ...claimPlace, lifeMs }),
    sendCommand: ({ deviceId, name, body, principal }) => {
      const device = present<Device | undefined>(registry.byId(deviceId));
      if (device === undefined) throw new Error('the route has to look first');
      const command = { device, keys: payloadKeys.of(device), body, principal };
      const counter = ++commandCounter;
      const signed = signCommand({ ...command, name, counter, nowMs: clock.nowMs() });
      return Promise.resolve(signed instanceof Refusal ? signed : { index: counter, receivers: 1 });
    },
    crl: (issuer) => (issuer === undefined || issuer === LAB_CRL.issuer ? LAB_CRL : undefined),
    checkpoint: () => 'holdfast/lab\n0\nAAAA\n\n— sig\n',
    series: {
      list: () => Promise.resolve({ series: [], passedOver: 0, behind: 0 }),
      points: () => Promise.resolve({ points: [], hasMore: false, behind: 0 }),
      buckets: () => Promise.resolve({ points: [], hasMore: false, behind: 0 }),
      latest: (devices) =>
        Promise.resolve({ devices: devices.map(() => ({ values: [] })), behind: 0 }),
    },
    logAudit: {
      verify: () => Promise.reject(new Error('this lab has no log to verify')),
      prove: () => Promise.resolve(undefined),
      problemOf: () => 'this lab has no log',
    },
    keyCare: {
      facts: () => ({
        custody: { name: 'data folder', isInToken: false },
        escrow: undefined,
        versions: store.census.versions(),
        purposes: store.census.purposes(),
        rotation: store.keyring.keks.isRotating ? { waitsFor: [] } : undefined,
      }),
      summary: () => ({
        isRecoverable: false,
        isRotating: store.keyring.keks.isRotating,
      }),
      whyNotRotate: () =>
        store.keyring.keks.isRotating ? refuse('E_OPERATE_CONFLICT', 'It rotates.') : undefined,
      rotate: () => store.keyring.keks.add(clock.nowMs()),
    },
    server: () => ({
      version: '0.0.0',
      broker: 'mqtts://server.example:8883',
      api: ORIGIN,
      site: ORIGIN,
      enroll: 'https://server.example:8444',
      verifierKey: 'lab+1',
      startedAtMs: clock.ms,
      pins: { certificate: 'ab', spki: 'cd', backupSpki: 'ef' },
      dataDir: '/somewhere',
    }),
    authority: keeper,
    owners,
    pairing,
    preparePairCode: (of, lifeMs) => pairing.prepareCode(of, { port: 8443, lifeMs }),
    resetDevice: (id) => Promise.resolve({ owner: owners.release(id) }),
    buckets: new Buckets({
      clock,
      random,
      log: createLog({ form: 'json', level: 'silent', write: () => {} }),
      store,
      s3: undefined,
      onChange: () => Promise.resolve(),
    }),
    backups: new Backups({
      clock,
      random,
      log: createLog({ form: 'json', level: 'silent', write: () => {} }),
      recordAct: async (act) => void recorded.push(act),
      store,
      // The lab has no log of its own on the disk: a backup of it has no more than the registry.
      paths: { registry: storePath, broker: storePath, log: storePath, series: storePath },
      artifacts: {
        place: undefined,
        totalBytes: () => 0,
        hold: () => ({
          list: () => [],
          read: () => Promise.resolve(undefined),
          release: () => Promise.resolve(),
        }),
      },
      custodyPath: join(folder, 'custody.json'),
      custody: 'data folder',
      software: '0.0.0',
      origin: { origin: 'lab', verifierKey: 'lab+1' },
      signer: softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519')),
      openBucket: (name) =>
        Promise.resolve(
          name.startsWith('folder:/')
            ? folderBucket(name.slice('folder:'.length))
            : refuse('E_OPERATE_INPUT', 'Destinations are folder:/path.'),
        ),
      countBackup: () => {},
    }),
    eraseDevice: (id) => {
      const device = present<Device | undefined>(registry.byId(id));
      const keyRefs = device === undefined ? [] : [device.contentKeyRef];
      registry.eraseContent(id, 0);
      return Promise.resolve({ keyRefs, pending: [], isScrubbed: true });
    },
    updates: openUpdateParts({
      clock,
      random,
      log: createLog({ form: 'json', level: 'silent', write: () => {} }),
      store,
      recordAct: async (act) => void recorded.push(act),
      recordEvent: (event) => Promise.resolve(void events.push(event)),
      registry,
      manufacturers: { all: () => [] },
      bucket: folderBucket(join(folder, 'firmware')),
    }),
    rollouts: new Rollouts({
      clock,
      log: createLog({ form: 'json', level: 'silent', write: () => {} }),
      store,
      recordAct: async (act) => void recorded.push(act),
      releases: { byId: (id) => rolledOut.get(id) },
      director: { assignMany: () => Promise.resolve(), assigned: () => undefined },
      reports: { onReport: () => () => {} },
      fleet: {
        devices: () => registry.all(),
        byId: (id) => registry.byId(id),
        hasOwner: (id) => owners.ownerOf(id) !== undefined,
        lastSeenMs: () => clock.ms,
        latestReport: () => undefined,
        mayUpdate: () => true,
      },
    }),
    identify: () => refuse('E_SESSION_NO_CERTIFICATE', 'a lab has no TLS'),
    tenant: 'default',
    isReady: () => journal.isReady,
    metrics,
    consoleFiles: new ConsoleFiles(''),
    watch: {
      figures,
      traffic: () => ({ ...traffic }),
      onPresence: (listener) => presence.onChange(listener),
      lastVerification: new LastVerification(store, { clock }),
      logSize: () => 7,
      certificateEnds: () => ({ serverMs: clock.ms + 90 * 86_400_000 }),
    },
  };
  const api = createApi(deps);
  const localToken = people.renewLocalToken().expose();
  const call: Lab['call'] = async (method, path, request = {}) => {
    const { address = '192.0.2.1', onSocketDestroyed = () => {} } = request;
    const socket = { remoteAddress: address, destroy: onSocketDestroyed };
    const env = { incoming: { socket } } as unknown as HttpBindings;
    return await api.fetch(new Request(`${ORIGIN}${path}`, requestInit(method, request)), env);
  };
  const signInFirst = async (): Promise<string> => {
    const code = people.renewFirstCode()?.expose() ?? '';
    const body = { code, name: 'ada', password: PASSWORD };
    return sessionOf(await call('POST', '/v1/sign-in/first', { body }));
  };
  const createToken: Lab['createToken'] = async (session, lifeMs = 3_600_000) => {
    const body = { label: 'lab', lifeMs };
    const answer = await call('POST', '/v1/tokens', { session, body });
    return (await answer.json()) as { id: string; token: string };
  };
  return {
    clock,
    storePath,
    store,
    registry,
    people,
    connected,
    lastSeen,
    readings,
    refusals,
    acts,
    deps,
    api,
    recorded,
    reports,
    events,
    labLog,
    rolledOut,
    traffic,
    presence,
    figures,
    logLines,
    journal,
    localToken,
    call,
    signInFirst,
    createToken,
  };
}

function requestInit(method: string, request: LabRequest): RequestInit {
  const { body, rawBody, token, session } = request;
  const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  if (session !== undefined) headers.set('cookie', `${SESSION_COOKIE}=${session}`);
  // As packages/client does it: every POST and PUT is JSON.
  const isWrite = method === 'POST' || method === 'PUT';
  if (isWrite) headers.set('content-type', 'application/json');
  for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, value);
  if (request.headers?.['content-type'] === '') headers.delete('content-type');
  const text = rawBody ?? (isWrite ? JSON.stringify(body ?? {}) : undefined);
  return text === undefined ? { method, headers } : { method, headers, body: text };
}

/** The session that an answer set. */
export function sessionOf(answer: Response): string {
  const value = /^__Host-holdfast=([^;]+);/.exec(answer.headers.get('set-cookie') ?? '')?.[1];
  if (value === undefined) throw new Error(`no session: ${answer.status}`);
  return value;
}

/** The code of an error answer. */
export async function codeOf(answer: Response): Promise<string> {
  const { error } = (await answer.json()) as { error: { code: string } };
  return error.code;
}

/** Reads a stream chunk by chunk. */
export class StreamReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(answer: Response) {
    if (answer.body === null) throw new Error(`no body: ${answer.status}`);
    this.#reader = answer.body.getReader();
  }

  /** The next chunk as text; undefined at the end. */
  async next(): Promise<string | undefined> {
    const { done, value } = await this.#reader.read();
    return done ? undefined : Buffer.from(value).toString('utf8');
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}
