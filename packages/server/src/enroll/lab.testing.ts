/** A server that only enrolls, with real TLS, for the tests of enrollment. @module */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type Refusal, parseTenantName } from '@holdfast/protocol';
import type { Act } from '../audit/index.ts';
import { ApiKeyHeader } from '../ingest/index.ts';
import {
  type Clock,
  type RefusalReport,
  Secret,
  createLog,
  systemClock,
  systemRandom,
} from '../kernel/index.ts';
import { present } from '../kernel/refusal.testing.ts';
import { SealedStore } from '../persistence/index.ts';
import {
  type Authority,
  checkClientCertificate,
  createAuthority,
  ensureServerCertificate,
  openAuthority,
} from '../pki/index.ts';
import {
  ClassSettings,
  type Device,
  DeviceApiKeys,
  DeviceRegistry,
  Manufacturers,
  PayloadKeySource,
} from '../registry/index.ts';
import { ApiKeyCheck, Gate } from '../session/index.ts';
import { Admission, openHttps } from '../wire/index.ts';
import type { IssuedClaim } from './claims.ts';
import { createEnrollment } from './create-enrollment.ts';

export { codeOf, present } from '../kernel/refusal.testing.ts';

/** A clock that the test moves. Its timers run at once, and are counted. */
export class LabClock implements Clock {
  ms: number = Math.floor(Date.now() / 1000) * 1000;
  readonly delaysMs: number[] = [];

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(delayMs: number, task: () => void): () => void {
    this.delaysMs.push(delayMs);
    const timer = setImmediate(task);
    return () => clearImmediate(timer);
  }
}

/** The parts below the routes. */
export interface Lab {
  readonly folder: string;
  readonly clock: LabClock;
  readonly store: SealedStore;
  readonly registry: DeviceRegistry;
  readonly classSettings: ClassSettings;
  readonly manufacturers: Manufacturers;
  readonly authority: Authority;
  readonly tenant: TenantName;
  readonly acts: Act[];
  readonly reports: RefusalReport[];
}
type TenantName = Exclude<ReturnType<typeof parseTenantName>, Refusal>;

export function openLab(context: TestContext): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-enroll-'));
  const clock = new LabClock();
  const random = systemRandom;
  const unsealKey = new Secret(random(32));
  const store = new SealedStore(join(folder, 'store.db'), { unsealKey, random });
  context.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const tenant = present(parseTenantName('default'));
  const authority = openAuthority(createAuthority({ clock, random, tenant }), { clock, random });
  const registry = new DeviceRegistry(store, { clock });
  return {
    folder,
    clock,
    store,
    registry,
    classSettings: new ClassSettings(store),
    manufacturers: new Manufacturers(store, { clock, registry }),
    authority,
    tenant,
    acts: [],
    reports: [],
  };
}

/** As the flow has it, but for the clock of OpenSSL, which is not the one of the test. */
function tlsPeer(socket: TLSSocket): Parameters<Gate['admit']>[0] {
  const problem = socket.authorized ? undefined : String(socket.authorizationError);
  return {
    certificate: socket.getPeerX509Certificate(),
    chainProblem: socket.isSessionReused() || isOfTime(problem) ? undefined : problem,
    address: '127.0.0.1',
  };
}

function isOfTime(problem: string | undefined): boolean {
  return problem === 'CERT_HAS_EXPIRED' || problem === 'CERT_NOT_YET_VALID';
}

/** What a shell command gave. */
export interface ShellRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A lab whose enrollment listener is open. */
export interface ListeningLab extends Lab {
  readonly port: number;
  readonly logLines: string[];
  readonly payloadKeys: PayloadKeySource;
  readonly apiKeys: DeviceApiKeys;
  /** Set it to make recording fail. */
  readonly journal: { problem: Error | undefined };
  addDevice(id: string): Device;
  claim(device: Device): IssuedClaim;
  /** Runs a script in the folder of the lab, with `input` on its standard input. */
  shell(script: string, input?: string): Promise<ShellRun>;
}

export async function openListeningLab(context: TestContext): Promise<ListeningLab> {
  const lab = openLab(context);
  const { clock, authority, tenant, registry, store, acts, reports, folder } = lab;
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
  const journal: ListeningLab['journal'] = { problem: undefined };
  const logLines: string[] = [];
  const report = (entry: RefusalReport): void => void reports.push(entry);
  const listening = { port: 0 };
  const enrollment = createEnrollment({
    clock,
    random: systemRandom,
    log: createLog({ form: 'json', level: 'info', write: (line) => logLines.push(line) }),
    report,
    recordAct: async (act) => {
      if (journal.problem !== undefined) throw journal.problem;
      acts.push(act);
    },
    registry,
    payloadKeys,
    authority,
    tenant,
    host: 'localhost',
    enrollUrl: () => `https://localhost:${listening.port}`,
    broker: 'mqtts://localhost:8883',
    pins: server.pins,
    pinsVersion: () => Math.floor(clock.ms / 1_000),
    pinsSinceMs: () => clock.ms,
    classSettings: lab.classSettings,
    manufacturers: lab.manufacturers,
    gate,
    apiKeyHeader: new ApiKeyHeader(apiKeyCheck, gate),
    identify: (socket) => gate.admit(tlsPeer(socket)),
    examine: (socket) => gate.examine(tlsPeer(socket)),
  });
  const listener = await openHttps(
    {
      name: 'enroll',
      addresses: ['127.0.0.1'],
      port: 0,
      asksCertificate: true,
      admission: new Admission({ clock: systemClock, report }),
      identity: {
        certificateChain: server.certChainPem,
        privateKey: server.keyPem,
        clientAnchors: authority.trustAnchorsPem,
      },
    },
    enrollment.fetch,
  );
  context.after(() => listener.close());
  const { port } = listener;
  listening.port = port;
  return {
    ...lab,
    port,
    logLines,
    payloadKeys,
    apiKeys,
    journal,
    addDevice: (id) => present(registry.add({ id, class: 'sensor' })),
    claim: (device) => present(enrollment.issueClaim(device, { port })),
    shell: (script, input = '') => runShell(script, { folder, input }),
  };
}

function runShell(
  script: string,
  { folder, input }: { folder: string; input: string },
): Promise<ShellRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], { cwd: folder });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => {}); // The script may end without reading.
    child.stdin.end(input);
  });
}
