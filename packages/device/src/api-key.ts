/** The API key of a device: its second factor beside the certificate. @module */

/** The HTTP header in which a device shows its key, to the pinned server only. */
export const API_KEY_HEADER = 'x-holdfast-api-key';

/** An API key that prints as nothing. */
export class ApiKey {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** Reads `hfk_` and 43 characters of base64url; undefined for anything else. */
  static parse(text: string): ApiKey | undefined {
    const trimmed = text.trim();
    return FORM.test(trimmed) ? new ApiKey(trimmed) : undefined;
  }

  /** The key itself: for the exchange that proves it, and nothing else. */
  expose(): string {
    return this.#text;
  }
}

const FORM = /^hfk_[A-Za-z0-9_-]{43}$/u;
