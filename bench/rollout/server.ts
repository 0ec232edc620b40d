/** The server of the rollout benchmark, which is killed and comes back. @module */
import { type ServerProcess, startServer } from '@holdfast/testkit';
import { cpuUsOf } from '../measure/process-tree.ts';

/** A server that comes back on the same ports. */
export class Server {
  readonly #dataDir: string;
  readonly #lifetime: Parameters<typeof startServer>[0];
  #process: ServerProcess | undefined;
  #client: ReturnType<ServerProcess['client']> | undefined;
  #cpuBefore = 0;

  constructor(dataDir: string, lifetime: Parameters<typeof startServer>[0]) {
    this.#dataDir = dataDir;
    this.#lifetime = lifetime;
  }

  async start(): Promise<void> {
    const { ports } = this.#process ?? {};
    const args = Object.entries(ports ?? {}).flatMap(([name, port]) => [
      `--${name}-port`,
      `${port}`,
    ]);
    this.#process = await startServer(this.#lifetime, { dataDir: this.#dataDir, args });
    this.#client = this.#process.client();
  }

  async kill(): Promise<void> {
    this.#cpuBefore = this.cpuSeconds;
    await this.#process?.stop('SIGKILL');
    this.#client?.close();
    await this.start();
  }

  get client(): ReturnType<ServerProcess['client']> {
    if (this.#client === undefined) throw new Error('it was not started');
    return this.#client;
  }

  get url(): string {
    return `https://localhost:${this.#process?.ports.enroll ?? 0}`;
  }

  /** CPU time of all its lives, in seconds. */
  get cpuSeconds(): number {
    return this.#cpuBefore + cpuUsOf(this.#process?.pid ?? 0) / 1_000_000;
  }
}
