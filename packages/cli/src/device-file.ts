/** The file of an import: which devices there are to be. @module */
import { readFileSync, statSync } from 'node:fs';
import { DEVICE_CLASS_LIST, DEVICE_TAGS_MAX, type ImportedDevice } from '@holdfast/protocol/api';
import { type CsvProblem, type CsvRecord, parseCsv } from './csv.ts';
import { Failure, systemWhy } from './failure.ts';
import { IMPORT_BYTES_MAX, IMPORT_DEVICES_MAX, IMPORT_PROBLEMS_MAX } from './limits.ts';
import { shorten } from './printable.ts';
import { nearest } from './suggest.ts';

/** A device, and the line that says so. */
export interface DeviceLine {
  readonly line: number;
  readonly device: FileDevice;
}

/** A device of a file; without tags, it says nothing of them. */
export type FileDevice = Pick<ImportedDevice, 'id' | 'class' | 'group'> &
  Partial<Pick<ImportedDevice, 'tags'>>;

const COLUMNS = ['id', 'class', 'group', 'tags'] as const;
type Column = (typeof COLUMNS)[number];
type Columns = ReadonlyMap<Column, number>;

/**
 * Reads the devices of a file: a header row with `id`, `class` and, when there are any, `group`
 * and `tags`, which have spaces between them; then a row for each device.
 * @throws Failure `E_CLI_FILE` with everything that is wrong in it, each with its line.
 */
export function readDeviceFile(path: string): DeviceLine[] {
  const { records, problems } = parseCsv(readUtf8(path), IMPORT_DEVICES_MAX + 1);
  const [header] = records;
  const rows = records.slice(1);
  if (header === undefined) throw refusal(path, [{ line: 1, what: HEADER_MISSING }]);
  if (rows.length > IMPORT_DEVICES_MAX) throw refusal(path, [{ line: 1, what: TOO_MANY }]);
  const columns = columnsOf(header, path);
  const lines: DeviceLine[] = [];
  const linesById = new Map<string, number>();
  for (const { line, fields } of rows) {
    const report = (what: string): void => void problems.push({ line, what });
    if (fields.length !== header.fields.length) {
      report(`has ${fields.length} columns and not ${header.fields.length}, as its header`);
      continue;
    }
    const device = deviceOf(fields, columns, report);
    if (device === undefined) continue;
    const first = linesById.get(device.id);
    if (first !== undefined) report(`names ${device.id}, as line ${first} does`);
    linesById.set(device.id, first ?? line);
    lines.push({ line, device });
  }
  if (problems.length > 0) throw refusal(path, problems);
  if (lines.length === 0) throw refusal(path, [{ line: header.line, what: 'is the only one' }]);
  return lines;
}

/** Why a file cannot be imported: the first problems in the order of their lines. */
export function refusal(path: string, problems: readonly CsvProblem[]): Failure {
  const sorted = problems.toSorted((a, b) => a.line - b.line);
  const told = sorted.slice(0, IMPORT_PROBLEMS_MAX).map(({ line, what }) => `line ${line} ${what}`);
  const more = sorted.length - told.length;
  const list = [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
  return new Failure('E_CLI_FILE', {
    what: `${path} cannot be imported, and nothing was.`,
    why: list,
    fix: 'Correct these lines, and run it again. See docs/guides/devices.md for an example.',
  });
}

/** @throws Failure: without columns, nothing can be said of the other lines. */
function columnsOf({ line, fields }: CsvRecord, path: string): Columns {
  const columns = new Map<Column, number>();
  const problems: CsvProblem[] = [];
  const report = (what: string): void => void problems.push({ line, what });
  for (const [at, text] of fields.entries()) {
    const name = text.trim().toLowerCase();
    const column = COLUMNS.find((one) => one === name);
    if (column === undefined) report(unknownColumn(text));
    else if (columns.has(column)) report(`has the column ${column} twice`);
    else columns.set(column, at);
  }
  for (const column of ['id', 'class'] as const) {
    if (!columns.has(column)) report(`has no column ${column}; ${HEADER_MISSING}`);
  }
  if (problems.length > 0) throw refusal(path, problems);
  return columns;
}

function unknownColumn(text: string): string {
  if (/[;\t]/u.test(text)) return 'separates its columns by something else than commas';
  return `has a column ${quoted(text)}; there are ${COLUMNS.join(', ')}`;
}

function deviceOf(
  fields: readonly string[],
  columns: Columns,
  report: (what: string) => void,
): FileDevice | undefined {
  const valueOf = (column: Column): string => fields[columns.get(column) ?? -1] ?? '';
  const [id, className, group] = [valueOf('id'), valueOf('class'), valueOf('group')];
  const deviceClass = DEVICE_CLASS_LIST.find((name) => name === className);
  const isId = NAME.test(id);
  const isGroup = group === '' || NAME.test(group);
  if (!isId) report(`has the id ${quoted(id)}; ${NAME_RULE}`);
  if (!isGroup) report(`has the group ${quoted(group)}; ${NAME_RULE}`);
  if (deviceClass === undefined) report(unknownClass(className));
  const tags = tagsIn(valueOf('tags'), report);
  if (!isId || !isGroup || deviceClass === undefined || tags === undefined) return undefined;
  return { id, class: deviceClass, group, ...(tags.length > 0 && { tags }) };
}

function tagsIn(text: string, report: (what: string) => void): string[] | undefined {
  const tags = [...new Set(text.split(/\s+/u).filter((tag) => tag !== ''))];
  const wrong = tags.find((tag) => !TAG.test(tag));
  if (wrong !== undefined) report(`has the tag ${quoted(wrong)}; ${TAG_RULE}`);
  const areTooMany = tags.length > DEVICE_TAGS_MAX;
  if (areTooMany) report(`has ${tags.length} tags; ${DEVICE_TAGS_MAX} at most`);
  return wrong === undefined && !areTooMany ? tags : undefined;
}

function unknownClass(long: string): string {
  const text = shorten(long, QUOTED_CHARACTERS);
  const meant = nearest(text, DEVICE_CLASS_LIST);
  const hint = meant === undefined ? DEVICE_CLASS_LIST.join(', ') : `did you mean ${meant}?`;
  return `has the class ${quoted(text)}; ${hint}`;
}

function quoted(text: string): string {
  return JSON.stringify(shorten(text, QUOTED_CHARACTERS));
}

function readUtf8(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > IMPORT_BYTES_MAX) throw refusal(path, [{ line: 1, what: TOO_LARGE }]);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const isEncoding = cause instanceof TypeError;
    throw new Failure('E_CLI_FILE', {
      what: isEncoding ? `${path} is not UTF-8.` : `${path} cannot be read.`,
      why: systemWhy(cause),
      fix: isEncoding ? 'Save it as "CSV UTF-8".' : 'Check the path and who may read it.',
      cause,
    });
  }
}

const HEADER_MISSING = 'the first line has to be id,class,group';
const TOO_LARGE = `begins a file of more than ${IMPORT_BYTES_MAX} bytes; split it`;
const TOO_MANY = `begins a file of more than ${IMPORT_DEVICES_MAX} devices; split it`;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;
const NAME_RULE = 'it takes 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit';
const TAG = /^[a-z0-9][a-z0-9._-]{0,31}$/u;
const TAG_RULE = 'it takes 1 to 32 of a-z 0-9 . _ -, the first a letter or digit';
/** Of a wrong value, as much is shown as finds it. */
const QUOTED_CHARACTERS = 80;
