/** Fakes of the ports, and the routes over real mutual TLS. @module */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type Release, type ReleaseCustom, type UpdateReport, releaseId } from '@holdfast/firmware';
import { type DeviceId, parseDeviceId, refuse } from '@holdfast/protocol';
import { openLab, present } from '../../enroll/lab.testing.ts';
import { ApiKeyHeader } from '../../ingest/index.ts';
import {
  type Clock,
  type RefusalReport,
  createLog,
  systemClock,
  systemRandom,
} from '../../kernel/index.ts';
import {
  certificatePem,
  checkClientCertificate,
  ensureServerCertificate,
} from '../../pki/index.ts';
import {
  type ClassSettings,
  DeviceApiKeys,
  type DeviceRegistry,
  PayloadKeySource,
} from '../../registry/index.ts';
import { ApiKeyCheck, Gate } from '../../session/index.ts';
import { Admission, openHttps } from '../../wire/index.ts';
import type { Director, Releases, StoredArtifact, UpdateReports } from '../ports.ts';
import { UpdateServices, type UpdateServicesDeps } from '../update-services.ts';
import type { UpdateRates } from './downloads.ts';

/** A clock that a test moves, or that jumps to the next timer whenever nothing else is to do. */
export class TestClock implements Clock {
  #ms = 0;
  readonly #runsByItself: boolean;
  readonly #timers = new Set<{ readonly atMs: number; readonly task: () => void }>();
  #isDue = false;

  constructor({ runsByItself = false }: { readonly runsByItself?: boolean } = {}) {
    this.#runsByItself = runsByItself;
  }

  nowMs(): number {
    return 1_790_000_000_000 + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#ms + delayMs, task };
    this.#timers.add(timer);
    this.#runSoon();
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    const untilMs = this.#ms + ms;
    for (;;) {
      const due = this.#next();
      if (due === undefined || due.atMs > untilMs) break;
      this.#run(due);
    }
    this.#ms = untilMs;
  }

  #next() {
    return [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
  }

  #run(timer: { readonly atMs: number; readonly task: () => void }): void {
    this.#timers.delete(timer);
    this.#ms = Math.max(this.#ms, timer.atMs);
    timer.task();
  }

  #runSoon(): void {
    if (!this.#runsByItself || this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      const due = this.#next();
      // A stall is no wait of ours: only what a rate asks for passes by itself.
      if (due !== undefined && due.atMs - this.#ms < 60_000) this.#run(due);
      if (this.#timers.size > 0) this.#runSoon();
    });
  }
}

const CHUNK_BYTES = 524_288;

/** An artifact in memory, read in chunks as the store reads it. */
export class FakeArtifact implements StoredArtifact {
  readonly length: number;
  readonly sha256: string;
  readonly #bytes: Uint8Array;
  chunksRead = 0;
  damagedFrom = Number.POSITIVE_INFINITY;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length;
    this.sha256 = sha256Hex(bytes);
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; at += CHUNK_BYTES) {
      if (at >= this.damagedFrom) throw new Error('damaged');
      this.chunksRead += 1;
      yield await Promise.resolve(this.#bytes.subarray(at, Math.min(end, at + CHUNK_BYTES)));
    }
  }
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Releases, director and reports in memory. */
export class FakeUpdates implements Releases, Director, UpdateReports {
  readonly #releases = new Map<string, Release>();
  readonly artifacts = new Map<string, FakeArtifact>();
  readonly files = new Map<string, Uint8Array>();
  readonly #assigned = new Map<string, Release>();
  readonly #revisions = new Map<string, number>();
  readonly taken: { readonly device: string; readonly report: UpdateReport }[] = [];
  /** How often the store was asked for an artifact. */
  asked = 0;

  add(
    image: Uint8Array,
    {
      name = 'image.swu',
      version = '1.0.0',
      custom = {},
      deltas = [],
    }: {
      name?: string;
      version?: string;
      custom?: Partial<ReleaseCustom>;
      deltas?: readonly Uint8Array[];
    } = {},
  ): Release {
    for (const bytes of [image, ...deltas]) {
      const artifact = new FakeArtifact(bytes);
      this.artifacts.set(artifact.sha256, artifact);
    }
    const line = 'thermostat';
    const release: Release = {
      id: releaseId({ line, version }),
      path: `${line}/${version}/${name}`,
      length: image.length,
      sha256: sha256Hex(image),
      custom: {
        line,
        version,
        hardware: ['thermo-a'],
        counter: 1,
        deltas: deltas.map((bytes) => ({
          from: '00'.repeat(32),
          sha256: sha256Hex(bytes),
          length: bytes.length,
        })),
        ...custom,
      },
    };
    this.#releases.set(release.id, release);
    return release;
  }

  list(): readonly Release[] {
    return [...this.#releases.values()];
  }

  byId(id: string): Release | undefined {
    return this.#releases.get(id);
  }

  bySha256(sha256: string): Release | undefined {
    return this.list().find((release) => release.sha256 === sha256);
  }

  artifact(sha256: string): Promise<StoredArtifact | undefined> {
    this.asked += 1;
    return Promise.resolve(this.artifacts.get(sha256));
  }

  metadata(...names: [name: string] | [device: DeviceId, name: string]): Uint8Array | undefined {
    return this.files.get(names.join('/'));
  }

  assign(device: DeviceId, release: Release | undefined): Promise<void> {
    if (release === undefined) this.#assigned.delete(device);
    else this.#assigned.set(device, release);
    this.#revisions.set(device, (this.#revisions.get(device) ?? 0) + 1);
    return Promise.resolve();
  }

  async assignMany(devices: readonly DeviceId[], release: Release | undefined): Promise<void> {
    for (const device of devices) await this.assign(device, release);
  }

  assigned(device: DeviceId): Release | undefined {
    return this.#assigned.get(device);
  }

  revision(device: DeviceId): string {
    return `r${this.#revisions.get(device) ?? 0}`;
  }

  take(device: DeviceId, report: UpdateReport): Promise<void> {
    this.taken.push({ device, report });
    return Promise.resolve();
  }

  onReport(): () => void {
    return () => {};
  }
}

/** A device with a certificate. */
export interface LabDevice {
  readonly id: DeviceId;
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A request of a device. */
export interface Ask {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What it was answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. */
  json(): unknown;
}

/** A server that only serves updates, with fakes behind it and real mutual TLS before it. */
export interface UpdateLab {
  readonly registry: DeviceRegistry;
  readonly classSettings: ClassSettings;
  readonly updates: FakeUpdates;
  readonly reports: readonly RefusalReport[];
  /** Lines of the log. */
  readonly logged: readonly string[];
  readonly services: UpdateServices;
  readonly clock: Clock;
  readonly port: number;
  readonly anchorPem: string;
  addDevice(id: string): LabDevice;
  ask(device: LabDevice | undefined, ask: Ask): Promise<Answer>;
}

/** Opens the lab. */
export async function openUpdateLab(
  context: TestContext,
  // Beside real programs: the clock of the lab below runs its timers at once.
  { rates, clock = systemClock }: { readonly rates?: UpdateRates; readonly clock?: Clock } = {},
): Promise<UpdateLab> {
  const lab = openLab(context);
  const { authority, tenant, registry, store, reports } = lab;
  const apiKeys = new DeviceApiKeys(store, { clock, random: systemRandom, registry });
  const apiKeyCheck = new ApiKeyCheck({ ...lab, apiKeys });
  const gate = new Gate({
    registry,
    secondFactor: apiKeyCheck,
    check: (certificate, nowMs = clock.nowMs()) =>
      checkClientCertificate(certificate, { authority, tenant, nowMs }),
  });
  const names = ['localhost', '127.0.0.1'];
  const server = ensureServerCertificate(undefined, { authority, names, clock });
  const payloadKeys = new PayloadKeySource(store.keyring, { tenant });
  const report = (entry: RefusalReport): void => void reports.push(entry);
  const updates = new FakeUpdates();
  const logged: string[] = [];
  const services = new UpdateServices({
    clock,
    log: createLog({ form: 'json', level: 'error', write: (line) => void logged.push(line) }),
    report,
    store,
    tenant,
    registry,
    gate,
    identify: (socket) => gate.admit(peerOf(socket)),
    quarantined: (socket) => gate.quarantined(peerOf(socket)),
    apiKeyHeader: new ApiKeyHeader(apiKeyCheck, gate),
    releases: updates,
    director: updates,
    reports: updates,
    proofs: NO_PROOFS,
    rates,
    secretOf: (id) => {
      const device = registry.byId(id);
      return device && payloadKeys.of(device).commandKey;
    },
  });
  const listener = await openHttps(
    {
      name: 'enroll',
      addresses: ['127.0.0.1'],
      port: 0,
      asksCertificate: true,
      admission: new Admission({ clock, report }),
      identity: {
        certificateChain: server.certChainPem,
        privateKey: server.keyPem,
        clientAnchors: authority.trustAnchorsPem,
      },
    },
    (request, env) => services.fetch(request, env),
  );
  context.after(() => listener.close());
  const { port } = listener;
  return {
    registry,
    classSettings: lab.classSettings,
    updates,
    reports,
    logged,
    services,
    clock,
    port,
    anchorPem: authority.anchorPem,
    addDevice(id) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const deviceId = present(parseDeviceId(id));
      const spki = publicKey.export({ type: 'spki', format: 'der' });
      const lifeMs = 86_400_000;
      const { der, ...facts } = authority.issueDevice({ spki, tenant, deviceId, lifeMs });
      const certificate = { ...facts, deviceId: id, status: 'current' as const };
      registry.completeEnrollment(present(registry.add({ id, class: 'gateway' })), { certificate });
      const issuer = authority.trustAnchorsPem;
      return {
        id: deviceId,
        certificatePem: `${certificatePem(der)}${issuer}`,
        keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      };
    },
    ask: (device, ask) => request(device, { ...ask, port, anchorPem: authority.anchorPem }),
  };
}

function peerOf(socket: TLSSocket): Parameters<Gate['admit']>[0] {
  const problem = socket.authorized ? undefined : String(socket.authorizationError);
  return {
    certificate: socket.getPeerX509Certificate(),
    chainProblem: socket.isSessionReused() ? undefined : problem,
    address: '127.0.0.1',
  };
}

function request(
  device: LabDevice | undefined,
  {
    path,
    method = 'GET',
    headers = {},
    body,
    port,
    anchorPem,
  }: Ask & {
    readonly port: number;
    readonly anchorPem: string;
  },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const identity = device && { cert: device.certificatePem, key: device.keyPem };
  const sent = httpsRequest(
    { host: 'localhost', port, path, method, headers, ca: anchorPem, agent: false, ...identity },
    (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const text = bytes.toString('utf8');
        const { statusCode: status = 0, headers: got } = answer;
        resolve({ status, headers: got, bytes, text, json: () => JSON.parse(text) as unknown });
      });
    },
  );
  sent.on('error', reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

/** Nobody has a TPM here. */
const NO_PROOFS: UpdateServicesDeps['proofs'] = {
  bind: () => refuse('E_UPDATE_TPM', 'none in a lab'),
  activate: () => Promise.resolve(refuse('E_UPDATE_TPM', 'none in a lab')),
  challenge: () => refuse('E_UPDATE_TPM', 'none in a lab'),
  prove: () => Promise.resolve(refuse('E_UPDATE_TPM', 'none in a lab')),
};
