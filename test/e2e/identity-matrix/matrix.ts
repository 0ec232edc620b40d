/** Tries what must be refused, and holds each try against what operator and peer must see. @module */
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { RefusalView } from '@holdfast/protocol/api';
import { type InProcessServer, type ServerClock, VirtualClock, waitFor } from '@holdfast/testkit';
import type { Exchange } from './doors.ts';

/** Time that a test moves, and that can jump over months. */
export class MatrixClock {
  /** Added to the time of day. */
  jumpMs = 0;
  // Behind the machine's time, which OpenSSL judges by: what was made later counts there, too.
  readonly #virtual = new VirtualClock({ shiftMs: -4 * 3_600_000 });

  readonly nowMs = (): number => this.#virtual.nowMs() + this.jumpMs;
  readonly monotonicMs = (): number => this.#virtual.monotonicMs();
  readonly after: NonNullable<ServerClock>['after'] = (delayMs, task) =>
    this.#virtual.after(delayMs, task);

  advance(ms: number): void {
    this.#virtual.advance(ms);
  }

  /** Lets time pass while something is under way. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => this.advance(50), 5);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }
}

/** Something that must be refused. */
export interface Try {
  /** What is wrong. */
  readonly what: string;
  readonly door: string;
  readonly code: string;
  /** All tries of a kind must look the same to their peers. */
  readonly kind: string;
  /** Whether the TLS session has to be a resumed one. */
  readonly isResumed?: boolean;
  /** Whether a process of its own does it, which may get no time while the server has some. */
  readonly isProgram?: boolean;
  /** Does it from an address of its own. */
  readonly run: (address: string) => Promise<Exchange>;
}

/** What became of a try. */
export interface Outcome {
  readonly what: string;
  readonly door: string;
  readonly isResumed: boolean;
  readonly code: string;
  readonly seen: string;
  readonly exchange: Exchange;
}

/** A try, and everything that was not as it should be. */
export class Matrix {
  readonly outcomes: Outcome[] = [];
  readonly problems: string[] = [];
  readonly #server: InProcessServer;
  readonly #clock: MatrixClock;
  readonly #seenByKind = new Map<string, string>();
  #counted: ReadonlyMap<string, number> = new Map();
  #addresses = 0;

  constructor(server: InProcessServer, clock: MatrixClock) {
    this.#server = server;
    this.#clock = clock;
  }

  /** An address of this machine that nobody had before: refusals are told apart by it. */
  nextAddress(): string {
    this.#addresses += 1;
    return `127.77.${this.#addresses >> 8}.${this.#addresses & 255}`;
  }

  async expect(one: Try): Promise<Outcome> {
    const address = this.nextAddress();
    this.#counted = await countsOf(this.#server);
    const run = (): Promise<Exchange> => one.run(address);
    const exchange = one.isProgram === true ? await run() : await this.#clock.during(run);
    const refusal = await this.#told(address);
    // A second, after which nothing of this is summed up with what comes next.
    this.#clock.advance(1_000);
    const { what, door, isResumed = false } = one;
    const { seen } = exchange;
    const outcome = { what, door, isResumed, code: refusal?.code ?? '', seen, exchange };
    this.outcomes.push(outcome);
    const name = `${what} · ${door}${isResumed ? ' · resumed' : ''}`;
    for (const problem of await this.#problemsOf(one, { exchange, refusal })) {
      this.problems.push(`${name}: ${problem}`);
    }
    return outcome;
  }

  async #problemsOf(
    { code, kind, isResumed = false }: Try,
    { exchange, refusal }: { exchange: Exchange; refusal: RefusalView | undefined },
  ): Promise<string[]> {
    const problems: string[] = [];
    const counted = difference(this.#counted, await countsOf(this.#server));
    if (counted !== `${code} 1`) problems.push(`counted ${counted || 'nothing'}, not ${code}`);
    if (refusal === undefined) problems.push('not told to the operator');
    else if (refusal.code !== code) problems.push(`told as ${refusal.code}: ${refusal.detail}`);
    if (refusal?.detail === '' || refusal?.fix === '') problems.push('told without a word');
    if (exchange.isResumed !== isResumed) problems.push('resumed, or not, against the plan');
    const first = this.#seenByKind.get(kind);
    if (first === undefined) this.#seenByKind.set(kind, exchange.seen);
    else if (first !== exchange.seen) {
      const [now, before] = [JSON.stringify(exchange.seen), JSON.stringify(first)];
      problems.push(`the peer saw ${now}, and others of its kind ${before}`);
    }
    return problems;
  }

  async #told(address: string): Promise<RefusalView | undefined> {
    try {
      return await waitFor(
        'the refusal',
        async () => {
          const newest = await this.#server.client.refusals({ limit: 10 });
          return newest.find((refusal) => refusal.address === address);
        },
        20_000,
      );
    } catch {
      return undefined;
    }
  }
}

/** How the command line reaches the server. */
export function accessOf(dataDir: string): { url: string; token: string; anchorPem: string } {
  return JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8')) as ReturnType<typeof accessOf>;
}

/** One connection for all readings. */
const agent = new Agent({ keepAlive: true });

/** `holdfast_refusals_total`, by code. */
export async function countsOf({ dataDir }: InProcessServer): Promise<Map<string, number>> {
  const access = accessOf(dataDir);
  const headers = { authorization: `Bearer ${access.token}` };
  const options = { ca: access.anchorPem, headers, agent };
  const read = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = get(`${access.url}/metrics`, options, (response) => {
        text(response).then(resolve, reject);
      });
      // While openssl makes keys, nobody notices that the server has ended the idle connection.
      asked.on('error', (error: NodeJS.ErrnoException) => {
        if (asked.reusedSocket && error.code === 'ECONNRESET') resolve(read());
        else reject(error);
      });
    });
  const body = await read();
  const found = body.matchAll(/^holdfast_refusals_total\{code="(\w+)"\} (\d+)$/gmu);
  return new Map([...found].map(([, code = '', count]) => [code, Number(count)]));
}

/** What was counted in between, as text. */
function difference(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): string {
  return [...after]
    .map(([code, count]) => ({ code, more: count - (before.get(code) ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ code, more }) => `${code} ${more}`)
    .join(', ');
}
