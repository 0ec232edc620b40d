/** The three listeners, and what each one serves. @module */
import { createEnrollment } from '../enroll/index.ts';
import { createApi } from '../operate/index.ts';
import { Admission, type Listener, openHttps, openMqtt } from '../wire/index.ts';
import type { Context } from './context.ts';
import type { Flow } from './flow.ts';
import type { Metrics } from './metrics.ts';
import { TENANT } from './server-identity.ts';
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
  /** What clients may pin: SHA-256 of the certificate (hex) and of its key (base64). */
  readonly pins: { readonly certificate: string; readonly spki: string };
  /** The public key of the audit log. */
  readonly verifierKey: string;
}

/** The open listeners. */
export interface Doors {
  readonly listeners: readonly Listener[];
  readonly facts: ServerFacts;
  /** URL of the API on this machine. */
  readonly localApi: string;
}

/** Opens the broker, the enrollment listener and the API. */
export async function openDoors(
  context: Context,
  parts: Storage & Registries & Audit & Flow & { readonly metrics: Metrics },
): Promise<Doors> {
  const { options, clock, names, onUndo } = context;
  const { folder, identity, journal, messagePath, refusals } = parts;
  const { report } = refusals;
  const admission = new Admission({ clock, report });
  parts.metrics.watchAdmission(() => admission.counts);
  const listening = {
    addresses: names.addresses,
    admission,
    identity: {
      certificateChain: identity.certificate.certChainPem,
      privateKey: identity.certificate.keyPem,
      clientAnchors: identity.authority.trustAnchorsPem,
    },
  };
  const { publicName: host } = names;
  const facts = {
    version: VERSION,
    dataDir: folder.path,
    pins: identity.certificate.pins,
    verifierKey: identity.log.verifierKey,
    broker: '',
    enroll: '',
    api: '',
  };

  const brokerOptions = { ...listening, name: 'broker', port: options.ports.broker };
  const broker = await openMqtt(brokerOptions, parts.admit);
  onUndo(() => broker.close());
  facts.broker = `mqtts://${host}:${broker.port}`;

  const { authority } = identity;
  const { broker: brokerUrl, pins } = facts;
  const known = { ...context, ...parts, report, authority, tenant: TENANT };
  const enrollment = createEnrollment({ ...known, host, broker: brokerUrl, pins });
  const enrollOptions = { ...listening, name: 'enroll', port: options.ports.enroll };
  const enroll = await openHttps({ ...enrollOptions, asksCertificate: true }, enrollment.fetch);
  onUndo(() => enroll.close());
  facts.enroll = `https://${host}:${enroll.port}`;

  const startedAtMs = clock.nowMs();
  const api = createApi({
    ...context,
    ...parts,
    report,
    issueClaim: (device) => enrollment.issueClaim(device, { port: enroll.port }),
    sendCommand: (command) => messagePath.command(command),
    checkpoint: () => journal.checkpoint,
    server: () => ({ ...facts, startedAtMs }),
    isReady: () => journal.isHealthy,
    metrics: parts.metrics.registry,
  });
  const apiOptions = { ...listening, name: 'API', port: options.ports.api };
  // A browser that has no certificate of ours shows no prompt and sends none.
  const onWebSocket = webSocketDoor({ ...parts, report });
  const apiListener = await openHttps(
    { ...apiOptions, asksCertificate: true, onWebSocket },
    api.fetch,
  );
  onUndo(() => apiListener.close());
  facts.api = `https://${host}:${apiListener.port}`;
  const localApi = `https://localhost:${apiListener.port}`;
  return { listeners: [broker, enroll, apiListener], facts, localApi };
}
