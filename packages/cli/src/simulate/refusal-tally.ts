/** What the server refused of a simulation, as the server itself counts it. @module */
import type { Client } from '@holdfast/client';
import type { RefusalView } from '@holdfast/protocol/api';

/** Refusals of one kind. */
export interface RefusedKind {
  readonly code: string;
  readonly count: number;
  /** The device of the newest one, where it is known. */
  readonly device: string;
}

/** Counts refusals by their code. */
export class RefusalTally {
  readonly #kinds = new Map<string, RefusedKind>();
  readonly #isOurs: (device: string) => boolean;

  /** @param isOurs - whether a device is simulated: what others are refused is not counted. */
  constructor(isOurs: (device: string) => boolean) {
    this.#isOurs = isOurs;
  }

  add({ code, count, principal, claimed }: Refusal): void {
    const device = principal ?? claimed ?? '';
    if (!this.#isOurs(device)) return;
    const before = this.#kinds.get(code)?.count ?? 0;
    this.#kinds.set(code, { code, count: before + count, device });
  }

  /** The most frequent first. */
  get kinds(): readonly RefusedKind[] {
    return [...this.#kinds.values()].toSorted((a, b) => b.count - a.count);
  }

  get total(): number {
    return this.kinds.reduce((sum, { count }) => sum + count, 0);
  }

  /** Adds what the server refuses from now on, until the signal aborts. */
  async follow(
    client: Pick<Client, 'refusals' | 'followRefusals'>,
    signal: AbortSignal,
  ): Promise<void> {
    const [newest] = await client.refusals({ limit: 1 });
    for await (const refusal of client.followRefusals({ after: newest?.index ?? -1, signal })) {
      this.add(refusal);
    }
  }
}

type Refusal = Pick<RefusalView, 'code' | 'count' | 'principal' | 'claimed'>;
