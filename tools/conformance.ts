/**
 * Which statements of the MQTT standards are implemented where, and which tests carry them: read
 * from the tags in the code (`[MQTT-3.1.2-2]`), in the names of tests and of packet sequences.
 * @module
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MQTT_5 } from './conformance-mqtt5.ts';
import { MQTT_311 } from './conformance-mqtt311.ts';
import { type Tag, tagsOf } from './conformance-tags.ts';

/** One normative statement. */
export interface Statement {
  /** Number without `MQTT-`. */
  readonly id: string;
  /** Whom it binds; `none` when it is about a choice that was not taken. */
  readonly role: 'client' | 'server' | 'both' | 'none';
  /** What it is about, in our own words. */
  readonly says: string;
  /** Of MQTT 3.1.1: the statement of MQTT 5 that says the same. */
  readonly same?: string;
  /** Why it does not apply. */
  readonly why?: string;
}

/** The two versions that are spoken. */
export type Version = '5' | '3.1.1';

interface Found {
  /** Files. */
  readonly code: Set<string>;
  /** Files and the names of tests in them. */
  readonly tests: Map<string, Set<string>>;
}

const root = join(import.meta.dirname, '..');
const STATEMENTS: Readonly<Record<Version, readonly Statement[]>> = {
  '5': MQTT_5,
  '3.1.1': MQTT_311,
};
const KNOWN: Readonly<Record<Version, ReadonlySet<string>>> = {
  '5': new Set(MQTT_5.map(({ id }) => id)),
  '3.1.1': new Set(MQTT_311.map(({ id }) => id)),
};

/** The page, and the tags that name no statement. */
export function mqttConformance(): { readonly page: string; readonly problems: string[] } {
  const found = new Map<string, Found>();
  const problems: string[] = [];
  for (const tag of allTags()) {
    const version = versionOf(tag);
    if (version === undefined) problems.push(`${tag.file}: [MQTT-${tag.id}] is no statement`);
    else note(foundOf(found, version, tag.id), tag);
  }
  const pages = (['5', '3.1.1'] as const).map((version) => section(version, found));
  return { page: [...HEAD, ...open(found), ...pages.flat(), ''].join('\n'), problems };
}

function allTags(): Tag[] {
  const patterns = ['packages/*/src/**/*.ts', 'test/**/*.ts', 'test/conformance/sequences/*.json'];
  return globSync(patterns, { cwd: root })
    .sort()
    .flatMap((file) => tagsOf(file, readFileSync(join(root, file), 'utf8')));
}

/** The version that the text names; else the usual one, or the only one with this number. */
function versionOf({ id, version, fallback }: Tag): Version | undefined {
  const candidates: Version[] = version === undefined ? [fallback, '5', '3.1.1'] : [version];
  return candidates.find((candidate) => KNOWN[candidate].has(id));
}

function foundOf(found: Map<string, Found>, version: Version, id: string): Found {
  const key = `${version} ${id}`;
  const known = found.get(key) ?? { code: new Set<string>(), tests: new Map() };
  found.set(key, known);
  return known;
}

function note({ code, tests }: Found, { file, testName }: Tag): void {
  if (testName === undefined) code.add(file);
  else tests.set(file, (tests.get(file) ?? new Set<string>()).add(testName));
}

/** What is known of a statement; one of MQTT 3.1.1 has the code of its counterpart too. */
function evidence(
  version: Version,
  { id, same }: Statement,
  found: Map<string, Found>,
): { readonly own: Found; readonly counterpart: Found | undefined } {
  const counterpart = version === '5' || same === undefined ? undefined : same;
  return {
    own: foundOf(found, version, id),
    counterpart: counterpart === undefined ? undefined : foundOf(found, '5', counterpart),
  };
}

function section(version: Version, found: Map<string, Found>): string[] {
  const rows = STATEMENTS[version].map((statement) => {
    const { own, counterpart } = evidence(version, statement, found);
    const code = [...own.code].map(shortPath).map((path) => `\`${path}\``);
    if (code.length === 0 && (counterpart?.code.size ?? 0) > 0) code.push(asIn(statement));
    const tests = [...own.tests].map(([file, names]) => testCell(file, names));
    if (tests.length === 0 && (counterpart?.tests.size ?? 0) > 0) tests.push(asIn(statement));
    const says = statement.role === 'client' ? `client: ${statement.says}` : statement.says;
    if (statement.why !== undefined) code.push(`does not apply: ${statement.why}`);
    return `| ${statement.id} | ${says} | ${code.join('<br>')} | ${tests.join('<br>')} |`;
  });
  const head = ['| statement | what it says | code | tests |', '|---|---|---|---|'];
  return ['', `## MQTT ${version}`, '', ...head, ...rows];
}

function asIn({ same = '' }: Statement): string {
  return `as MQTT 5 ${same}`;
}

/** The first names tell what the tests are about; the others are counted. */
function testCell(file: string, names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, NAMES_SHOWN).map((name) => name.replaceAll('|', '\\|'));
  const more = names.size > NAMES_SHOWN ? `; and ${names.size - NAMES_SHOWN} more` : '';
  return `\`${shortPath(file)}\`: ${shown.join('; ')}${more}`;
}

/** What a reader would ask for: statements for a server with code or tests missing. */
function open(found: Map<string, Found>): string[] {
  const untested: string[] = [];
  const untagged: string[] = [];
  const neither: string[] = [];
  for (const version of ['5', '3.1.1'] as const) {
    for (const statement of STATEMENTS[version]) {
      if (statement.role === 'none' || statement.role === 'client') continue;
      const { own, counterpart } = evidence(version, statement, found);
      const hasCode = own.code.size + (counterpart?.code.size ?? 0) > 0;
      const hasTest = own.tests.size + (counterpart?.tests.size ?? 0) > 0;
      const line = `- MQTT ${version} ${statement.id}: ${statement.says}`;
      if (!hasCode && !hasTest) neither.push(line);
      else if (!hasTest) untested.push(line);
      else if (!hasCode) untagged.push(line);
    }
  }
  return [
    ...list('Neither code nor test names them', neither),
    ...list('Named in code, by no test', untested),
    ...list('Tested, named nowhere in the code', untagged),
  ];
}

function list(title: string, lines: readonly string[]): string[] {
  return ['', `### ${title}: ${lines.length}`, ...(lines.length > 0 ? ['', ...lines] : [])];
}

function shortPath(path: string): string {
  return path.replace(/^packages\//, '').replace('/src/', '/');
}

const NAMES_SHOWN = 3;
const HEAD = [
  '# MQTT conformance',
  '',
  'Each normative statement of [MQTT 5](https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html) and',
  '[MQTT 3.1.1](https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html) in a few words of our own,',
  'where the code names it, and which tests carry its number. Written by `npm run docs`.',
  '',
  'Statements for clients only bind the device SDK, whose MQTT is that of mqtt.js; where the server',
  'can see that a client breaks one, it is listed with the code that refuses it. A statement of',
  'MQTT 3.1.1 that MQTT 5 has too is served by the same code.',
  '',
  '## Open',
];
