/** Tells publishers when to pause. @module */
import { PENDING_BYTES_HIGH, PENDING_BYTES_LOW } from './limits.ts';

/** Whether too much waits for the disk. */
export class Pressure {
  readonly #listeners = new Set<(isPressed: boolean) => void>();
  #isPressed = false;

  get isPressed(): boolean {
    return this.#isPressed;
  }

  /** Tells of each change, until the returned function is called. */
  onChange(listener: (isPressed: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  update(pendingBytes: number): void {
    const limit = this.#isPressed ? PENDING_BYTES_LOW : PENDING_BYTES_HIGH;
    const isPressed = pendingBytes > limit;
    if (isPressed === this.#isPressed) return;
    this.#isPressed = isPressed;
    for (const listener of this.#listeners) listener(isPressed);
  }
}
