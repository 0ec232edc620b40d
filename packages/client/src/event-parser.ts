/** Reads server-sent events from a stream of bytes. WHATWG HTML §9.2.6. @module */
import { ApiError } from './api-error.ts';
import { EVENT_CHARACTERS_MAX } from './limits.ts';

/** One event; comments, retry times and events without data are not reported. */
export interface ServerSentEvent {
  /** `message` when the server named none. */
  readonly type: string;
  readonly data: string;
  /** Last id that the server gave, on this event or before. */
  readonly id: string;
}

/** Reads one stream. Keep one parser per connection: an unfinished event is dropped with it. */
export class EventParser {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #type = '';
  #data: string[] = [];
  #dataCharacters = 0;
  #id = '';

  /**
   * Takes the next bytes, split anywhere, and gives the events that they complete.
   * @throws ApiError `E_CLIENT_RESPONSE` when an event is longer than the limit.
   */
  push(chunk: Uint8Array): ServerSentEvent[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const events: ServerSentEvent[] = [];
    let start = 0;
    for (const end of this.#rest.matchAll(LINE_END)) {
      const event = this.#takeLine(this.#rest.slice(start, end.index));
      if (event !== undefined) events.push(event);
      start = end.index + end[0].length;
    }
    this.#rest = this.#rest.slice(start);
    if (this.#rest.length + this.#dataCharacters > EVENT_CHARACTERS_MAX) {
      throw new ApiError({
        code: 'E_CLIENT_RESPONSE',
        message: `an event of the stream has more than ${EVENT_CHARACTERS_MAX} characters`,
        fix: 'Check that the address is that of the Holdfast API.',
      });
    }
    return events;
  }

  #takeLine(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#finish();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const rawValue = colon === -1 ? '' : line.slice(colon + 1);
    const value = rawValue.startsWith(' ') ? rawValue.slice(1) : rawValue;
    if (field === 'data') {
      this.#data.push(value);
      // With the line end, or lines without anything would count for nothing.
      this.#dataCharacters += value.length + 1;
    } else if (field === 'event') {
      this.#type = value;
    } else if (field === 'id' && !value.includes('\0')) {
      this.#id = value;
    }
    return undefined;
  }

  #finish(): ServerSentEvent | undefined {
    const type = this.#type === '' ? 'message' : this.#type;
    const data = this.#data;
    this.#type = '';
    this.#data = [];
    this.#dataCharacters = 0;
    return data.length === 0 ? undefined : { type, data: data.join('\n'), id: this.#id };
  }
}

// A carriage return at the end of what is there may be the first half of CR LF: it waits.
const LINE_END = /\r\n|\n|\r(?!$)/gu;
