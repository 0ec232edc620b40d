/** The file of an import: which devices there are to be, and all that is wrong with it. @see RFC 4180 @module */
import type { ImportedDevice } from '@holdfast/protocol/api';

/** A device of the file, and its line. */
export interface CsvDevice {
  readonly line: number;
  readonly device: ImportedDevice;
}

/** What is wrong, and where. */
export interface CsvProblem {
  readonly line: number;
  readonly what: string;
}

/** A file that was read. */
export interface DeviceCsv {
  readonly devices: readonly CsvDevice[];
  readonly problems: readonly CsvProblem[];
}

/** More than that in one go belongs to the command line, which can go on after an interruption. */
const CSV_DEVICES_MAX = 10_000;

const COLUMNS = ['id', 'class', 'group', 'tags'] as const;
const CLASSES: readonly ImportedDevice['class'][] = ['sensor', 'actuator', 'gateway', 'service'];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;
const NAME_RULE = 'it takes 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit';
const TAG = /^[a-z0-9][a-z0-9._-]{0,31}$/u;
const TAGS_MAX = 16;

/** Reads a file with a header: `id,class`, and `group` and `tags` when there are any. */
export function readDeviceCsv(text: string): DeviceCsv {
  const { records, problem } = recordsIn(text.replace(/^\uFEFF/u, ''));
  const [header, ...rows] = records;
  if (header === undefined) return failed(1, 'The file is empty.');
  const columns = header.fields.map((name) => name.trim().toLowerCase());
  const unknown = columns.find((name) => !COLUMNS.some((column) => column === name));
  if (unknown !== undefined) {
    const isSeparated = /[;\t]/u.test(unknown);
    return failed(
      header.line,
      isSeparated
        ? 'Columns have to be separated by commas.'
        : `There is no column "${unknown}": there are ${COLUMNS.join(', ')}.`,
    );
  }
  if (!columns.includes('id') || !columns.includes('class')) {
    return failed(header.line, 'The first line has to be: id,class,group,tags');
  }
  if (rows.length > CSV_DEVICES_MAX) {
    return failed(1, `These are more than ${CSV_DEVICES_MAX} devices: use holdfast device import.`);
  }
  const problems: CsvProblem[] = problem === undefined ? [] : [problem];
  const devices: CsvDevice[] = [];
  const lines = new Map<string, number>();
  for (const { line, fields } of rows) {
    const valueOf = (column: string): string => fields[columns.indexOf(column)]?.trim() ?? '';
    const found = deviceOf(valueOf);
    const first = lines.get(valueOf('id'));
    const whats = [
      ...(fields.length === columns.length
        ? found.problems
        : [`It has ${fields.length} columns, and the first line has ${columns.length}.`]),
      ...(first === undefined ? [] : [`It names ${valueOf('id')}, as line ${first} does.`]),
    ];
    problems.push(...whats.map((what) => ({ line, what })));
    if (first === undefined) lines.set(valueOf('id'), line);
    if (whats.length === 0) devices.push({ line, device: found.device });
  }
  if (rows.length === 0) return failed(header.line, 'There is no device below the first line.');
  return { devices, problems: problems.toSorted((a, b) => a.line - b.line) };
}

/** A line of CSV, with its end. */
export function csvLine(fields: readonly string[]): string {
  const quoted = fields.map((field) =>
    /[",\r\n]/u.test(field) ? `"${field.replaceAll('"', '""')}"` : field,
  );
  return `${quoted.join(',')}\r\n`;
}

function deviceOf(valueOf: (column: string) => string): {
  device: ImportedDevice;
  problems: string[];
} {
  const [id, className, group] = [valueOf('id'), valueOf('class'), valueOf('group')];
  const tags = [...new Set(valueOf('tags').split(/\s+/u))].filter((tag) => tag !== '');
  const found = CLASSES.find((name) => name === className);
  const wrongTag = tags.find((tag) => !TAG.test(tag));
  const problems = [
    ...(NAME.test(id) ? [] : [`"${id}" is no id: ${NAME_RULE}.`]),
    ...(found === undefined ? [`"${className}" is no class: ${CLASSES.join(', ')}.`] : []),
    ...(group === '' || NAME.test(group) ? [] : [`"${group}" is no group: ${NAME_RULE}.`]),
    ...(wrongTag === undefined ? [] : [`"${wrongTag}" is no tag: it takes a-z 0-9 . _ -.`]),
    ...(tags.length > TAGS_MAX ? [`It has ${tags.length} tags; ${TAGS_MAX} at most.`] : []),
  ];
  return { device: { id, class: found ?? 'sensor', group, tags }, problems };
}

function failed(line: number, what: string): DeviceCsv {
  return { devices: [], problems: [{ line, what }] };
}

interface CsvRecord {
  readonly line: number;
  readonly fields: string[];
}

/** Fields may be quoted, and hold line ends then; empty lines count for nothing. */
function recordsIn(text: string): { records: CsvRecord[]; problem: CsvProblem | undefined } {
  const records: CsvRecord[] = [];
  let [line, at] = [1, 0];
  let record: CsvRecord = { line, fields: [] };
  const endRecord = (): void => {
    if (record.fields.length > 1 || record.fields[0] !== '') records.push(record);
    line += 1;
    record = { line, fields: [] };
  };
  while (at < text.length) {
    const quoted = /^"((?:[^"]|"")*)"(?=[,\r\n]|$)/u.exec(text.slice(at, at + QUOTED_MAX));
    if (text[at] === '"' && quoted === null) {
      return { records, problem: { line, what: 'A quoted field does not end as it should.' } };
    }
    const value = quoted?.[0] ?? /^[^,\r\n]*/u.exec(text.slice(at, at + QUOTED_MAX))?.[0] ?? '';
    record.fields.push(quoted === null ? value : (quoted[1] ?? '').replaceAll('""', '"'));
    line += value.match(/\r\n|\r|\n/gu)?.length ?? 0;
    at += value.length;
    if (text[at] === ',') {
      at += 1;
      if (at === text.length) record.fields.push('');
    } else {
      at += text.startsWith('\r\n', at) ? 2 : 1;
      endRecord();
    }
  }
  if (record.fields.length > 0) endRecord();
  return { records, problem: undefined };
}

/** No field of ours is longer: more of the text need not be looked at for one. */
const QUOTED_MAX = 4_096;
