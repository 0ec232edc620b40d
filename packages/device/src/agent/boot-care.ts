/** Proves the boot of the device at the start of the agent, and again before the proof ends. @module */
import { type TpmSettings, proveBoot } from '../boot-proof/index.ts';
import type { Clock } from '../clock.ts';
import { type CallTarget, callPinned } from '../https-call.ts';
import { PROVE_AGAIN_MS, PROVE_RETRY_MS, PROVE_WAITING_MS } from './limits.ts';

/** What it needs. */
export interface BootCareOptions {
  readonly tpm: Partial<TpmSettings>;
  readonly target: () => CallTarget;
  readonly clock: Pick<Clock, 'after'>;
  readonly say: (line: string) => void;
}

/** Keeps the server convinced that this device booted what it is to run. */
export class BootCare {
  readonly #options: BootCareOptions;
  #cancel: () => void = () => {};
  #isStopped = false;

  constructor(options: BootCareOptions) {
    this.#options = options;
  }

  /** Proves it now, and from then on by itself. Never rejects. */
  async start(): Promise<void> {
    const waitMs = await this.#prove();
    if (this.#isStopped) return;
    this.#cancel = this.#options.clock.after(waitMs, () => void this.start());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** @returns milliseconds until the next proof */
  async #prove(): Promise<number> {
    const { tpm, target, say } = this.#options;
    try {
      const outcome = await proveBoot((asked) => callPinned(target(), asked), tpm);
      if (outcome === 'proven') return PROVE_AGAIN_MS;
      say('The server waits for an operator who vouches for this TPM: holdfast device tpm accept.');
      return PROVE_WAITING_MS;
    } catch (error) {
      const why = error instanceof Error ? error.message : 'it failed.';
      say(`The boot is not proven: ${why} Next attempt in ${PROVE_RETRY_MS / 1000} s.`);
      return PROVE_RETRY_MS;
    }
  }
}
