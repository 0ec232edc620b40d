/** Starts the server: the table of contents of the product, in the order of the flow. @module */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import { type RecordAct, actEntry } from '../audit/index.ts';
import { loadUnsealKey } from '../crypto/index.ts';
import { createEnrollment } from '../enroll/index.ts';
import { Journal, MessageJournal, RefusalRecorder } from '../journal/index.ts';
import {
  type Clock,
  type Log,
  type RandomBytes,
  createLog,
  systemClock,
  systemRandom,
} from '../kernel/index.ts';
import { createApi } from '../operate/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { checkClientCertificate } from '../pki/index.ts';
import { DeviceRegistry, PayloadKeySource, People } from '../registry/index.ts';
import { Router } from '../route/index.ts';
import { Gate, SessionTable, type TlsPeer } from '../session/index.ts';
import { openHistories } from '../telemetry/index.ts';
import { type Listener, openHttps, openMqtt, peerAddress } from '../wire/index.ts';
import {
  type DataFolder,
  keepVerifierKey,
  openDataFolder,
  removeLocalAccess,
  writeLocalAccess,
} from './data-folder.ts';
import { MessagePath } from './message-path.ts';
import { createMetrics } from './metrics.ts';
import { networkNames } from './network-names.ts';
import { TENANT, openServerIdentity } from './server-identity.ts';
import { storedCounter } from './stored-counter.ts';
import { VERSION } from './version.ts';

/** How to start. */
export interface StartOptions {
  /** Folder for everything that is kept; made when it does not exist. */
  readonly dataDir: string;
  /** Names and addresses under which devices reach this server; none means this machine only. */
  readonly hosts: readonly string[];
  /** Ports; 0 takes a free one. */
  readonly ports: { readonly broker: number; readonly api: number; readonly enroll: number };
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: RandomBytes | undefined;
  /** Nothing can be stored any more: the process should end. */
  readonly onFatal?: ((error: Error) => void) | undefined;
}

/** What a person wants to know of a running server. */
export interface ServerFacts {
  readonly version: string;
  readonly dataDir: string;
  /** URLs of the three listeners. */
  readonly broker: string;
  readonly api: string;
  readonly enroll: string;
  /** What clients may pin: SHA-256 of the certificate (hex) and of its key (base64). */
  readonly pins: { readonly certificate: string; readonly spki: string };
  /** The public key of the audit log. */
  readonly verifierKey: string;
}

/** A server that runs. */
export interface RunningServer {
  /** True when the data folder was made just now. */
  readonly isNew: boolean;
  readonly info: ServerFacts;
  /** The one-time code of the first operator, until there is one. */
  readonly firstCode: string | undefined;
  /** Stores what is pending and ends every connection. */
  stop(): Promise<void>;
}

const silentLog = createLog({ form: 'json', level: 'silent', write: () => {} });

/**
 * Starts the server.
 * @throws Fault with what, why and how to fix it, when a port is taken, the data folder is in use,
 *   or a key is missing. Nothing stays open then.
 */
export async function start(options: StartOptions): Promise<RunningServer> {
  const undo: (() => unknown)[] = [];
  try {
    return await startAll(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function startAll(options: StartOptions, undo: (() => unknown)[]): Promise<RunningServer> {
  const { clock = systemClock, random = systemRandom, log = silentLog } = options;
  const { onFatal = () => {} } = options;
  const names = networkNames(options.hosts);

  // What is kept, and under which keys.
  const folder = openDataFolder(options.dataDir);
  const unsealKey = loadUnsealKey(folder.unsealKey, { isNew: folder.isNew, random });
  const store = new SealedStore(folder.registry, { unsealKey, random });
  undo.push(() => store.close());
  const { keyring } = store;
  const identity = openServerIdentity(store, { clock, random, names: names.certificateNames });
  keepVerifierKey(folder, identity.log.verifierKey);

  // The audit log, on which everything is put.
  const journal = await Journal.open({ path: folder.log, ...identity.log, clock, log, onFatal });
  undo.push(() => journal.close());
  const actsKey = keyring.only('acts');
  const refusalsKey = keyring.only('refusals');
  const metrics = createMetrics();
  const count = metrics.countRefusal;
  const refusals = new RefusalRecorder({ journal, key: refusalsKey, clock, log, count });
  const { report } = refusals;
  const recordAct: RecordAct = async (act) => {
    await journal.record(actEntry(act, clock.nowMs()), actsKey);
  };

  // Who exists.
  const registry = new DeviceRegistry(store, { clock });
  const people = new People(store, { clock, random });
  const payloadKeys = new PayloadKeySource(keyring, { tenant: TENANT });

  // The way of a message.
  const { authority } = identity;
  const check = (certificate: X509Certificate): ReturnType<typeof checkClientCertificate> =>
    checkClientCertificate(certificate, { authority, tenant: TENANT, nowMs: clock.nowMs() });
  const gate = new Gate({ registry, check });
  const messagePath = new MessagePath({
    clock,
    report,
    registry,
    payloadKeys,
    journal: new MessageJournal(journal, { keyring }),
    router: new Router(),
    storedCounter: (deviceId, kid) => storedCounter({ journal, registry, keyring }, deviceId, kid),
    countAccepted: metrics.countAccepted,
  });
  const openHandler = messagePath.open;
  const sessions = new SessionTable({ clock, registry, gate, openHandler, report });
  undo.push(() => sessions.close());
  journal.onPressure((isPressed) => sessions.setPressed(isPressed));
  const histories = openHistories({ journal, registry, keyring, actsKey, refusalsKey });
  metrics.watch({
    connections: () => sessions.count,
    pendingBytes: () => journal.pendingBytes,
    devices: () => registry.all().length,
  });

  // The doors.
  const listening = {
    addresses: names.addresses,
    report,
    identity: {
      certificateChain: identity.certificate.certChainPem,
      privateKey: identity.certificate.keyPem,
      clientAnchors: authority.trustAnchorsPem,
    },
  };
  const facts = {
    version: VERSION,
    dataDir: folder.path,
    pins: identity.certificate.pins,
    verifierKey: identity.log.verifierKey,
  };
  const broker = await openMqtt(
    { ...listening, name: 'broker', port: options.ports.broker },
    (socket) => admit(socket, { gate, sessions, report }),
  );
  undo.push(() => broker.close());
  const brokerUrl = `mqtts://${names.publicName}:${broker.port}`;

  const enrollment = createEnrollment({
    clock,
    random,
    log,
    report,
    recordAct,
    registry,
    payloadKeys,
    authority,
    tenant: TENANT,
    host: names.publicName,
    broker: brokerUrl,
    pins: facts.pins,
    identify: (socket) => gate.admit(tlsPeer(socket)),
  });
  const enroll = await openHttps(
    { ...listening, name: 'enroll', port: options.ports.enroll, asksCertificate: true },
    enrollment.fetch,
  );
  undo.push(() => enroll.close());

  const startedAtMs = clock.nowMs();
  const localToken = people.renewLocalToken();
  const firstCode = people.renewFirstCode()?.expose();
  const urls: Urls = { broker: brokerUrl, api: '', enroll: urlOf(names.publicName, enroll) };
  const api = createApi({
    clock,
    log,
    report,
    recordAct,
    registry,
    people,
    histories,
    issueClaim: (device) => enrollment.issueClaim(device, { port: enroll.port }),
    sendCommand: (command) => messagePath.command(command),
    checkpoint: () => journal.checkpoint,
    server: () => ({ ...facts, ...urls, startedAtMs }),
    isReady: () => journal.isHealthy,
    metrics: metrics.registry,
  });
  const apiListener = await openHttps(
    { ...listening, name: 'API', port: options.ports.api, asksCertificate: false },
    api.fetch,
  );
  undo.push(() => apiListener.close());
  urls.api = urlOf(names.publicName, apiListener);

  writeLocalAccess(folder, {
    version: 1,
    url: urlOf('localhost', apiListener),
    token: localToken.expose(),
    anchorPem: authority.anchorPem,
    pin: facts.pins.certificate,
  });
  undo.push(() => removeLocalAccess(folder));
  const { version } = facts;
  await recordAct({ action: 'server.start', principal: 'server', facts: { version } });

  return {
    isNew: folder.isNew,
    info: { ...facts, ...urls },
    firstCode,
    stop: () =>
      stop({
        folder,
        listeners: [broker, enroll, apiListener],
        sessions,
        refusals,
        recordAct,
        journal,
        store,
      }),
  };
}

interface Urls {
  broker: string;
  api: string;
  enroll: string;
}

/** Ends in the order in which nothing is lost: no new input, then what is pending, then the files. */
async function stop(running: {
  folder: DataFolder;
  listeners: readonly Listener[];
  sessions: SessionTable;
  refusals: RefusalRecorder;
  recordAct: RecordAct;
  journal: Journal;
  store: SealedStore;
}): Promise<void> {
  removeLocalAccess(running.folder);
  running.sessions.close();
  await Promise.all(running.listeners.map((listener) => listener.close()));
  running.refusals.flush();
  await running.recordAct({ action: 'server.stop', principal: 'server' });
  await running.journal.close();
  running.store.close();
}

function admit(
  socket: TLSSocket,
  {
    gate,
    sessions,
    report,
  }: { gate: Gate; sessions: SessionTable; report: RefusalRecorder['report'] },
): void {
  const peer = gate.admit(tlsPeer(socket));
  if (!(peer instanceof Refusal)) {
    sessions.add(peer, socket);
    return;
  }
  const claimed = socket.getPeerX509Certificate()?.subject;
  report({ refusal: peer, address: peerAddress(socket), claimed });
  socket.on('error', () => {});
  socket.destroy();
}

function tlsPeer(socket: TLSSocket): TlsPeer {
  const problem =
    socket.isSessionReused() || socket.authorized ? undefined : socket.authorizationError;
  return {
    certificate: socket.getPeerX509Certificate(),
    chainProblem: problem === undefined ? undefined : String(problem),
    address: peerAddress(socket),
  };
}

function urlOf(name: string, { port }: Listener): string {
  return `https://${name}:${port}`;
}
