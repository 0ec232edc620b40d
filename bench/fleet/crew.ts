/** A process that holds devices of a fleet, as seen from outside. @module */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { endWithUs } from '../measure/children.ts';
import type { Answer, Connected, Crew, Order, Published } from './orders.ts';

/** Devices that take orders. */
export class CrewProcess {
  readonly #tell: (order: Order) => void;
  readonly #answers: ((answer: Answer) => void)[] = [];
  readonly #end: () => void;

  private constructor(
    child: ReturnType<typeof fork>,
    { onReady, onEnd }: { onReady: () => void; onEnd: (error: Error) => void },
  ) {
    endWithUs(child);
    this.#tell = (order) => child.send(order);
    this.#end = () => child.disconnect();
    child.once('message', () => {
      onReady();
      child.on('message', (answer: Answer) => this.#answers.shift()?.(answer));
    });
    child.on('close', (code) => onEnd(new Error(`the load ended with ${code}`)));
  }

  /** Starts the process; resolves when its devices may connect. */
  static start(crew: Crew): Promise<CrewProcess> {
    const script = join(import.meta.dirname, 'crew-main.ts');
    // Thousands of TLS connections and their contexts stay alive.
    const execArgv = ['--max-old-space-size=8192'];
    const child = fork(script, [JSON.stringify(crew)], { execArgv });
    return new Promise((resolve, reject) => {
      const process: CrewProcess = new CrewProcess(child, {
        onReady: () => resolve(process),
        onEnd: reject,
      });
    });
  }

  /** Resolves when all devices are connected. */
  async connect(): Promise<Connected> {
    const { connected } = await this.#order({ what: 'connect' });
    if (connected === undefined) throw new Error('the load gave no answer');
    return connected;
  }

  /** From now on each device publishes so often; 0 ends it. */
  async publish(everyMs: number): Promise<void> {
    await this.#order({ what: 'publish', everyMs });
  }

  /** What was published since the last report. */
  async report(): Promise<Published> {
    const { published } = await this.#order({ what: 'report' });
    if (published === undefined) throw new Error('the load gave no answer');
    return published;
  }

  /** Cuts all connections. */
  async drop(): Promise<void> {
    await this.#order({ what: 'drop' });
  }

  end(): void {
    this.#end();
  }

  #order(order: Order): Promise<Answer> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#tell(order);
    });
  }
}
