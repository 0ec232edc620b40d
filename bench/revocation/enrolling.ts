/** Measures how many devices can enroll over EST in a second. @module */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuUsOf } from '../measure/process-tree.ts';
import { localClient } from './closing.ts';

/** Enrollments on their way at a time. */
const CONCURRENCY = 8;
/** Requests that were made beforehand: making a key costs the load more than all the rest. */
const KEYS = 32;

/** How it went. */
export interface EnrollingFigures {
  readonly devices: number;
  readonly perSecond: number;
  /** Processor time of the server for each, with its full TLS handshake. */
  readonly serverCpuMs: number;
}

/** Enrolls new devices, each on a connection of its own, as `curl` does it. */
export async function measureEnrolling(job: {
  dataDir: string;
  devices: number;
  server: { readonly pid: number };
}): Promise<EnrollingFigures> {
  const { dataDir, devices, server } = job;
  const client = localClient(dataDir);
  const { anchorPem: ca } = JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8')) as {
    anchorPem: string;
  };
  const { enroll } = await client.server();
  const { port } = new URL(enroll);
  const claims: { id: string; secret: string }[] = [];
  for (let at = 0; at < devices; at += 1) {
    const id = `enrolled-${at}`;
    const { claim } = await client.addDevice({ id, class: 'sensor' });
    claims.push({ id, secret: claim.secret });
  }
  const requests = certificateRequests();
  const startUs = cpuUsOf(server.pid);
  const startMs = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < claims.length; at = next++) {
      const { id = '', secret = '' } = claims[at] ?? {};
      await enrollOne({ port, ca, id, secret, csr: requests[at % requests.length] ?? '' });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const seconds = (performance.now() - startMs) / 1_000;
  const serverCpuMs = (cpuUsOf(server.pid) - startUs) / devices / 1_000;
  client.close();
  return { devices, perSecond: devices / seconds, serverCpuMs };
}

function certificateRequests(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-requests-'));
  const make = (): string =>
    execFileSync(
      'openssl',
      'req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout key.pem -subj /CN=x'.split(
        ' ',
      ),
      { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] },
    ).toString();
  const all = Array.from({ length: KEYS }, make);
  rmSync(folder, { recursive: true });
  return all;
}

function enrollOne(one: {
  port: string;
  ca: string;
  id: string;
  secret: string;
  csr: string;
}): Promise<void> {
  const { port, ca, id, secret, csr } = one;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        method: 'POST',
        host: '127.0.0.1',
        servername: 'localhost',
        port,
        path: '/.well-known/est/simpleenroll',
        auth: `${id}:${secret}`,
        ca,
        agent: false,
        headers: { 'content-type': 'application/pkcs10', 'content-length': csr.length },
      },
      (response) => {
        const { statusCode } = response;
        response.resume().on('end', () => {
          if (statusCode === 200) resolve();
          else reject(new Error(`${id} was answered ${statusCode}`));
        });
      },
    );
    asked.on('error', reject);
    asked.end(csr);
  });
}
