/** Tells that a device has connected or left. Which of both is asked of the session table. @module */

/** Those who want to know; most of the time nobody does. */
export class Presence {
  readonly #listeners = new Set<(deviceId: string) => void>();

  /** A device has connected, or one of its connections has ended. */
  note(deviceId: string): void {
    for (const listener of this.#listeners) listener(deviceId);
  }

  /** Calls `listener` from now on, until the returned function is called. */
  onChange(listener: (deviceId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
