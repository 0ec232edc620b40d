/** Reads comma-separated values. @see RFC 4180 @module */
import { CSV_FIELDS_MAX, CSV_PROBLEMS_MAX } from './limits.ts';

/** One record. */
export interface CsvRecord {
  /** Line on which it begins; the first is 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** What is wrong, and where. */
export interface CsvProblem {
  readonly line: number;
  readonly what: string;
}

/**
 * Reads a whole text. A byte order mark at its beginning and empty lines count for nothing; lines
 * end in CRLF, LF or CR. After a problem it goes on with the next field, so that all are found, up
 * to `CSV_PROBLEMS_MAX`. Of a record with more than `CSV_FIELDS_MAX` fields, one more is given.
 * @param recordsMax - after so many records and one more it stops.
 */
export function parseCsv(
  text: string,
  recordsMax = Infinity,
): { records: CsvRecord[]; problems: CsvProblem[] } {
  const reader = new Reader(text);
  const records: CsvRecord[] = [];
  while (!reader.isAtEnd && records.length <= recordsMax) {
    const { line } = reader;
    const fields = reader.record();
    if (fields.length > 1 || fields[0] !== '') records.push({ line, fields });
  }
  return { records, problems: reader.problems };
}

/** A field as it is written. One that holds a comma, a quotation mark or a line end is quoted. */
function csvField(value: string): string {
  return /[",\r\n]/u.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** One line, with its end. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

class Reader {
  readonly problems: CsvProblem[] = [];
  readonly #text: string;
  #at: number;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith('\uFEFF') ? 1 : 0;
  }

  get line(): number {
    return this.#line;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The fields up to the end of the line, which is passed. */
  record(): string[] {
    const fields = [this.#field()];
    while (this.#text[this.#at] === ',') {
      this.#at += 1;
      const field = this.#field();
      if (fields.length <= CSV_FIELDS_MAX) fields.push(field);
    }
    const end = this.#text.startsWith('\r\n', this.#at) ? 2 : 1;
    if (!this.isAtEnd) this.#line += 1;
    this.#at += end;
    return fields;
  }

  #field(): string {
    if (this.#text[this.#at] === '"') return this.#quoted();
    const field = this.#rest();
    if (field.includes('"')) this.#report('has a quotation mark in a field that is not quoted');
    return field;
  }

  #quoted(): string {
    const { line } = this;
    let value = '';
    for (;;) {
      const close = this.#text.indexOf('"', this.#at + 1);
      const part = this.#text.slice(this.#at + 1, close < 0 ? undefined : close);
      this.#line += lineEndsIn(part);
      value += part;
      if (close < 0) {
        this.#at = this.#text.length;
        this.#report('begins a quoted field that does not end', line);
        return value;
      }
      this.#at = close + 1;
      if (this.#text[this.#at] !== '"') break;
      value += '"';
    }
    if (this.#rest() !== '') this.#report('has text behind the end of a quoted field');
    return value;
  }

  /** What stands before the next comma or line end; it is passed. */
  #rest(): string {
    END_OF_FIELD.lastIndex = this.#at;
    const end = END_OF_FIELD.exec(this.#text)?.index ?? this.#text.length;
    const rest = this.#text.slice(this.#at, end);
    this.#at = end;
    return rest;
  }

  #report(what: string, line = this.#line): void {
    if (this.problems.length < CSV_PROBLEMS_MAX) this.problems.push({ line, what });
  }
}

const END_OF_FIELD = /[,\r\n]/gu;

function lineEndsIn(text: string): number {
  return text.match(/\r\n|\r|\n/gu)?.length ?? 0;
}
