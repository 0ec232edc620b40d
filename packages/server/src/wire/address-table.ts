/** Counts connections in total and by address. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX } from './limits.ts';

/** The connections of one listener. */
export class AddressTable {
  readonly #limits: { readonly total: number; readonly perAddress: number };
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits = { total: CONNECTIONS_MAX, perAddress: CONNECTIONS_PER_ADDRESS_MAX }) {
    this.#limits = limits;
  }

  /** Counts a new connection, or refuses it with `E_WIRE_CONNECTIONS`. */
  enter(address: string): Refusal | undefined {
    const { total, perAddress } = this.#limits;
    const count = this.#byAddress.get(address) ?? 0;
    if (this.#total >= total) return refuse('E_WIRE_CONNECTIONS', `${total} are open`);
    if (count >= perAddress) {
      return refuse('E_WIRE_CONNECTIONS', `${perAddress} are open from this address`);
    }
    this.#total += 1;
    this.#byAddress.set(address, count + 1);
    return undefined;
  }

  /** A counted connection has ended. */
  leave(address: string): void {
    this.#total -= 1;
    const count = (this.#byAddress.get(address) ?? 0) - 1;
    if (count > 0) this.#byAddress.set(address, count);
    else this.#byAddress.delete(address);
  }
}
