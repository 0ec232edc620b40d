/** The three listeners, and what each one serves. @module */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { PublicCertificate } from '../acme/index.ts';
import type { Backups } from '../backup/index.ts';
import type { Buckets } from '../buckets/index.ts';
import { Pairing, createEnrollment } from '../enroll/index.ts';
import { ApiKeyHeader, Ingest } from '../ingest/index.ts';
import { ConsoleFiles, DeviceSelf, createApi } from '../operate/index.ts';
import type { ServerPins } from '../pki/index.ts';
import { AdmittedPeer, HttpsConnections } from '../session/index.ts';
import { type SeriesStore, readCommands } from '../telemetry/index.ts';
import type { Rollouts } from '../update/index.ts';
import { Admission, type Listener, type TlsIdentity, openHttps, openMqtt } from '../wire/index.ts';
import { openBackups } from './backup.ts';
import type { Context } from './context.ts';
import { eraseDevice } from './erase-device.ts';
import { factoryReset } from './factory-reset.ts';
import type { Flow } from './flow.ts';
import type { RunningKeyCare } from './key-care.ts';
import { openLogAudit } from './log-audit.ts';
import type { Metrics } from './metrics.ts';
import { isOwnName } from './network-names.ts';
import { openBuckets } from './open-buckets.ts';
import type { RunningFigures } from './open-figures.ts';
import { openKeyCare } from './open-key-care.ts';
import { openRollouts } from './open-rollouts.ts';
import { openUpdateServices } from './open-update-services.ts';
import { type Updates, openUpdates } from './open-updates.ts';
import { openPublicName } from './public-name.ts';
import { TENANT } from './server-identity.ts';
import { serverWatch } from './server-watch.ts';
import type { Audit, Registries, Storage } from './storage.ts';
import { VERSION } from './version.ts';
import { webSocketDoor } from './web-socket-door.ts';

/** What a person wants to know of a running server. */
export interface ServerFacts {
  readonly version: string;
  readonly dataDir: string;
  /** URLs of the three listeners. */
  readonly broker: string;
  readonly api: string;
  readonly enroll: string;
  /** What clients may pin. */
  readonly pins: ServerPins;
  /** The public key of the audit log. */
  readonly verifierKey: string;
}

/** The open listeners. */
export interface Doors {
  readonly listeners: readonly Listener[];
  readonly facts: ServerFacts;
  /** The name with a certificate of its own, if there is one. */
  readonly publicName: PublicCertificate | undefined;
  readonly backups: Backups;
  readonly buckets: Pick<Buckets, 'stop'>;
  readonly keyCare: Pick<RunningKeyCare, 'stop'>;
  readonly updates: Pick<Updates, 'stop'>;
  /** What is found about a device goes to `rollouts.finding`. */
  readonly rollouts: Pick<Rollouts, 'close' | 'finding'>;
  /** URL of the API on this machine. */
  readonly localApi: string;
  /** Where browsers come. */
  readonly site: string;
}

/** Opens the broker, the enrollment listener and the API. */
export async function openDoors(
  context: Context,
  parts: Storage &
    Registries &
    Audit &
    Flow &
    RunningFigures & {
      readonly metrics: Metrics;
      readonly series: SeriesStore;
    },
): Promise<Doors> {
  const { options, clock, names, proxies, onUndo } = context;
  const { folder, identity, journal, messagePath, refusals } = parts;
  const { report } = refusals;
  const admission = new Admission({ clock, report, proxies });
  parts.metrics.watchAdmission(() => admission.counts);
  const listening = {
    addresses: names.addresses,
    admission,
    identity: tlsIdentity(identity),
  };
  const { publicName: host } = names;
  const facts = {
    version: VERSION,
    dataDir: folder.path,
    get pins() {
      return identity.certificate.pins;
    },
    verifierKey: identity.log.verifierKey,
    broker: '',
    enroll: '',
    api: '',
  };

  const brokerOptions = { ...listening, name: 'broker', port: options.ports.broker };
  const broker = await openMqtt(brokerOptions, parts.admit);
  onUndo(() => broker.close());
  facts.broker = `mqtts://${host}:${broker.port}`;

  const buckets = openBuckets(context, parts);
  const updates = await openUpdates(context, { ...parts, buckets });
  const { rollouts, noteSeen } = openRollouts(context, { ...parts, updates });

  const { authority } = identity;
  // A WebSocket is closed by its session, with a word of goodbye; all else is closed by this.
  const https = new HttpsConnections({ ...parts, clock });
  const identify: Flow['identify'] = (socket) => {
    const peer = https.identify(socket);
    if (AdmittedPeer.is(peer) && peer.kind === 'device') parts.lastSeen.note(peer.principal);
    return peer;
  };
  parts.owners.onChange(({ lost, renewed }) => {
    for (const app of renewed === undefined ? lost : [...lost, renewed]) https.recheckApp(app);
  });
  const served = { ...parts, identify };
  const { broker: brokerUrl } = facts;
  const known = { ...context, ...served, report, authority, tenant: TENANT };
  const apiKeyHeader = new ApiKeyHeader(parts.apiKeyCheck, parts.gate);
  const updateServices = openUpdateServices(context, {
    ...known,
    apiKeyHeader,
    updates,
    onSeen: (device) => {
      noteSeen(device);
      parts.lastSeen.note(device);
    },
  });
  const enrollment = createEnrollment({
    ...known,
    host,
    broker: brokerUrl,
    get pins() {
      return facts.pins;
    },
    apiKeyHeader,
    pinsVersion: () => identity.certificate.pinsVersion,
    pinsSinceMs: () => sinceMs(identity.certificate.certChainPem),
    enrollUrl: () => facts.enroll,
  });
  const enrollOptions = { ...listening, name: 'enroll', port: options.ports.enroll };
  const enroll = await openHttps({ ...enrollOptions, asksCertificate: true }, (request, env) =>
    (updateServices.takes(request) ? updateServices : enrollment).fetch(request, env),
  );
  onUndo(() => enroll.close());
  facts.enroll = `https://${host}:${enroll.port}`;
  // A certificate that sends others to "localhost" sends them to themselves.
  if (names.isPublic) authority.announceRevocation(facts.enroll);

  const startedAtMs = clock.nowMs();
  const publicName = await openPublicName(context, parts);
  const pairing = new Pairing({ ...known, owners: parts.owners, host });
  const backups = openBackups(context, { ...parts, buckets, updates });
  const keyCare = openKeyCare(context, { ...parts, backups });
  const eraseSent = eraseDevice({ clock, backups, ...parts });
  const erase: typeof eraseSent = async (id) => {
    const erased = await eraseSent(id);
    await updates.forget(id);
    updateServices.forget(id);
    return erased;
  };
  const self = {
    isReady: () => journal.isHealthy,
    preparePairCode: (of: string, lifeMs?: number) =>
      pairing.prepareCode(of, { port: portOf(facts.api), lifeMs }),
    backups,
    buckets,
    keyCare,
    eraseDevice: erase,
    resetDevice: factoryReset({ ...parts, eraseDevice: erase }),
    updates,
    rollouts,
  };
  const api = createApi({
    ...context,
    ...served,
    ...self,
    report,
    pairing,
    crl: (issuer) => enrollment.crl(issuer),
    issueClaim: (device, by) => enrollment.issueClaim(device, { port: enroll.port, by }),
    prepareClaim: (id, lifeMs) => enrollment.prepareClaim(id, { port: enroll.port, lifeMs }),
    sendCommand: (command) => messagePath.command(command),
    deviceCommands: (deviceId, page) =>
      readCommands(deviceId, page, { ...parts, keyring: parts.store.keyring }),
    checkpoint: () => journal.checkpoint,
    logAudit: openLogAudit(parts),
    server: () => ({
      ...facts,
      site: siteOf(facts.api, options),
      startedAtMs,
      disk: parts.disk.figures,
    }),
    authority: identity.keeper,
    isOwnName: (hostname) => isOwnName(hostname, { names, acme: options.acme }),
    tenant: TENANT,
    metrics: parts.metrics.registry,
    watch: serverWatch({ ...parts, publicName }),
    consoleFiles: new ConsoleFiles(CONSOLE_FOLDER),
  });
  const apiOptions = { ...listening, name: 'API', port: options.ports.api };
  // A browser that has no certificate of ours shows no prompt and sends none.
  const onWebSocket = webSocketDoor({ ...parts, report });
  const ingest = new Ingest({
    ...context,
    ...served,
    report,
    open: messagePath.open,
    rateOf: (peer) => served.sessions.rateOf(peer),
    canStore: () => journal.isHealthy && !journal.isPressed,
    hasRoom: () => parts.disk.hasRoom,
  });
  const deviceSelf = new DeviceSelf({ ...context, ...served, ...self, report });
  const apiListener = await openHttps(
    { ...apiOptions, asksCertificate: true, onWebSocket, publicName },
    (request, env) => {
      if (deviceSelf.takes(request)) return deviceSelf.fetch(request, env);
      return (ingest.takes(request) ? ingest : api).fetch(request, env);
    },
  );
  onUndo(() => apiListener.close());
  publicName?.start();
  backups.start();
  buckets.start();
  keyCare.start();
  updates.start();
  rollouts.open();
  parts.metrics.watchBackups(() => ({
    lastAtMs: Math.max(
      0,
      ...backups.records.destinations.all().map(({ lastBackup }) => lastBackup?.atMs ?? 0),
    ),
    pending: backups.keys.pending().length,
  }));
  facts.api = `https://${host}:${apiListener.port}`;
  const localApi = `https://localhost:${apiListener.port}`;
  const listeners = [broker, enroll, apiListener];
  identity.keeper.onChange(() => {
    for (const listener of listeners) listener.renew(tlsIdentity(identity));
  });
  const site = siteOf(facts.api, options);
  const kept = { publicName, backups, buckets, keyCare, updates, rollouts };
  return { ...kept, listeners, facts, localApi, site };
}

/** What `npm run build` makes of `packages/console`. */
export const CONSOLE_FOLDER: string = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'console',
  'dist',
);

/** Where browsers come: by the public name, on the port at which it was checked. */
function siteOf(api: string, { acme }: Context['options']): string {
  return acme === undefined ? api : `https://${acme.domain}`;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** From when on the first certificate of a chain counts. */
function sinceMs(chainPem: string): number {
  return new X509Certificate(chainPem).validFromDate.getTime();
}

function tlsIdentity({ certificate, authority }: Storage['identity']): TlsIdentity {
  return {
    certificateChain: certificate.certChainPem,
    privateKey: certificate.keyPem,
    clientAnchors: authority.trustAnchorsPem,
  };
}
