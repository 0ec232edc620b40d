/** A small text in two copies, written in turn: when the newest is torn, the one before counts. @module */
import { createHash } from 'node:crypto';
import { type AgentDisk, readIfThere } from './agent-disk.ts';

/** What was found. */
export interface RedundantContent {
  /** Undefined when no copy is whole. */
  readonly body: string | undefined;
  /** A copy that counted may be lost: one is torn, and was not the first ever written. */
  readonly isDamaged: boolean;
}

/** Two files, `<path>.0` and `<path>.1`; each names its form, its number and its SHA-256. */
export class RedundantFile {
  readonly #disk: AgentDisk;
  readonly #path: string;
  readonly #kind: string;

  /** @param kind - the form of the text and its version, one word */
  constructor(disk: AgentDisk, { path, kind }: { readonly path: string; readonly kind: string }) {
    this.#disk = disk;
    this.#path = path;
    this.#kind = kind;
  }

  read(): RedundantContent {
    const { copies, isDamaged } = this.#copies();
    return { body: newestOf(copies)?.body, isDamaged };
  }

  /** Writes over the older copy. Durable when it returns. */
  write(body: string): void {
    const newest = newestOf(this.#copies().copies);
    const number = (newest?.number ?? 0) + 1;
    const text = `${this.#kind} ${number} ${digestOf(number, body)}\n${body}`;
    this.#disk.write(`${this.#path}.${newest?.place === 0 ? 1 : 0}`, text);
  }

  #copies() {
    const found = PLACES.map((place) => {
      const bytes = readIfThere(`${this.#path}.${place}`);
      if (bytes === undefined) return undefined;
      return { place, copy: this.#copyOf(bytes.toString('utf8')) };
    }).filter((one) => one !== undefined);
    const copies = found.flatMap(({ place, copy }) =>
      copy === undefined ? [] : [{ place, ...copy }],
    );
    // The first one ever, torn: what counts is what was before it, nothing.
    const isFirst = found.length === 1;
    return { copies, isDamaged: !isFirst && copies.length < found.length };
  }

  #copyOf(text: string): { readonly number: number; readonly body: string } | undefined {
    const [, kind, digits, digest] = HEADER.exec(text) ?? [];
    const number = Number(digits);
    const body = text.slice(text.indexOf('\n') + 1);
    if (kind !== this.#kind || digest !== digestOf(number, body)) return undefined;
    return { number, body };
  }
}

interface Copy {
  readonly place: 0 | 1;
  readonly number: number;
  readonly body: string;
}

function newestOf(copies: readonly Copy[]): Copy | undefined {
  const [first, second] = copies;
  if (first === undefined || second === undefined) return first ?? second;
  return first.number > second.number ? first : second;
}

/** The number is part of it: a torn header must not make an old copy the newest. */
function digestOf(number: number, body: string): string {
  return createHash('sha256').update(`${number}\n${body}`, 'utf8').digest('hex');
}

const PLACES = [0, 1] as const;
const HEADER = /^(\S+) (\d{1,15}) ([0-9a-f]{64})\n/u;
