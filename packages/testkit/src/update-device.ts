/** A device that polls, installs and reports over HTTPS, with an outcome that is known before. @module */
import { createHash } from 'node:crypto';
import type { ClientRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';

/** What survives when a simulated device is killed. */
export interface DeviceDisk {
  /** `<line>@<version>` that it runs. */
  running: string;
  /** Releases that it went back from. */
  readonly refused: string[];
  /** What it is doing. */
  step?: { release: string; state: UpdateStep } | undefined;
  /** What it has not told yet, oldest first. */
  readonly outbox: Report[];
}

interface Report {
  readonly release: string;
  readonly state: string;
  readonly hardware: string;
  readonly counter: number;
  readonly why?: string;
}
type UpdateStep = 'downloading' | 'staged' | 'trial';

/** How long a device waits for an answer. */
const ANSWER_MS = 30_000;

/** Who a simulated device is, and how it behaves. */
export interface UpdateDeviceOptions {
  readonly id: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly anchorPem: string;
  /** `https://localhost:port` of the enrollment listener. */
  readonly url: string;
  readonly disk: DeviceDisk;
  /** Called after each change of the disk. */
  readonly keep: (disk: DeviceDisk) => void;
  /** Between two polls; each device differs by a fifth. */
  readonly pollMs: number;
  /** How long each step of an update takes. */
  readonly stepMs: number;
  /** Whether the trial of a release fails on this device. */
  readonly fails: (device: string, release: string) => boolean;
  readonly onAnswer?: (status: number) => void;
}

/** The disk of a device that was never updated; its first report tells what it runs. */
export function newDisk(running: string): DeviceDisk {
  return { running, refused: [], outbox: [reportOf(running, 'confirmed')] };
}

/** Whether a device, whose id ends in its number, is of a share of all: of each hundred, as many. */
export function isOfShare(device: string, share: number): boolean {
  const number = Number(/\d+$/u.exec(device)?.[0] ?? 0);
  // A prime spreads them over the fleet.
  return (number * 7_919) % 100 < share * 100;
}

/** One device. It runs until it is killed. */
export class UpdateDevice {
  readonly #options: UpdateDeviceOptions;
  readonly #killed = new AbortController();
  readonly #agent: Agent;
  #call: ClientRequest | undefined;
  #etag = '';
  #named: string | undefined;
  readonly ended: Promise<void>;

  constructor(options: UpdateDeviceOptions) {
    this.#options = options;
    const { certificatePem: cert, keyPem: key, anchorPem: ca } = options;
    this.#agent = new Agent({ cert, key, ca, keepAlive: true, maxSockets: 1 });
    this.ended = this.#run().catch((error: unknown) => {
      if (!this.#killed.signal.aborted) throw error;
    });
  }

  /** Ends it where it is: what is under way is cut. */
  kill(): void {
    this.#killed.abort();
    this.#call?.destroy();
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    const { disk, stepMs, pollMs, id } = this.#options;
    const jitter = 0.8 + (createHash('sha256').update(id).digest()[0] ?? 0) / 640;
    // A fleet that starts at once does not ask at once.
    await this.#pause(pollMs * (jitter - 0.8) * 2);
    for (;;) {
      if (disk.outbox.length > 0) await this.#tell();
      else if (disk.step !== undefined) {
        await this.#pause(stepMs);
        this.#goOn(disk.step);
      } else {
        await this.#poll();
        if (disk.step === undefined) await this.#pause(pollMs * jitter);
      }
    }
  }

  /** One step further, which is told before the next one begins. */
  #goOn({ release, state }: NonNullable<DeviceDisk['step']>): void {
    const { disk, fails, id, keep } = this.#options;
    if (state === 'trial') {
      const isBad = fails(id, release);
      if (isBad) disk.refused.push(release);
      else disk.running = release;
      disk.step = undefined;
      disk.outbox.push(reportOf(release, isBad ? 'reverted' : 'confirmed'));
    } else {
      const next = state === 'downloading' ? 'staged' : 'trial';
      disk.step = { release, state: next };
      disk.outbox.push(reportOf(release, next));
    }
    keep(disk);
  }

  async #poll(): Promise<void> {
    const { disk, keep } = this.#options;
    const headers = this.#etag === '' ? {} : { 'if-none-match': this.#etag };
    const answer = await this.#ask({ path: '/update/v1/poll', headers });
    if (answer?.status === 200) {
      const { release } = JSON.parse(answer.text) as { release: string | null };
      this.#etag = answer.etag;
      this.#named = release ?? undefined;
    }
    const release = this.#named;
    if (release === undefined || release === disk.running) return;
    if (disk.refused.includes(release)) return;
    disk.step = { release, state: 'downloading' };
    disk.outbox.push(reportOf(release, 'downloading'));
    keep(disk);
  }

  async #tell(): Promise<void> {
    const { disk, keep, pollMs } = this.#options;
    const body = JSON.stringify(disk.outbox[0]);
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#ask({ path: '/update/v1/report', headers, body });
    if (answer?.status !== 204) return this.#pause(pollMs);
    disk.outbox.shift();
    return keep(disk);
  }

  /** @returns the answer; undefined when there is none. */
  async #ask({
    path,
    headers,
    body,
  }: {
    path: string;
    headers: Record<string, string>;
    body?: string;
  }): Promise<{ status: number; etag: string; text: string } | undefined> {
    const { url, onAnswer } = this.#options;
    const method = body === undefined ? 'GET' : 'POST';
    try {
      const answer = await new Promise<{ status: number; etag: string; text: string }>(
        (resolve, reject) => {
          const options = { agent: this.#agent, method, headers, timeout: ANSWER_MS };
          const call = request(`${url}${path}`, options, (response) => {
            const parts: Buffer[] = [];
            response.on('data', (part: Buffer) => parts.push(part));
            response.on('error', reject);
            response.on('end', () => {
              const { statusCode: status = 0, headers: found } = response;
              const text = Buffer.concat(parts).toString('utf8');
              resolve({ status, etag: found.etag ?? '', text });
            });
          });
          this.#call = call;
          call.on('error', reject);
          call.on('timeout', () => call.destroy(new Error('no answer')));
          call.end(body);
        },
      );
      onAnswer?.(answer.status);
      return answer;
    } catch (error) {
      if (this.#killed.signal.aborted) throw error;
      // The server is away: it comes back.
      await this.#pause(this.#options.pollMs);
      return undefined;
    }
  }

  #pause(ms: number): Promise<void> {
    return wait(ms, undefined, { signal: this.#killed.signal });
  }
}

function reportOf(release: string, state: string): Report {
  const why = state === 'reverted' ? { why: 'no connection within 30 s' } : {};
  return { release, state, hardware: 'thermo-a', counter: 1, ...why };
}
