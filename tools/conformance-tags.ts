/** Finds the tags of normative statements in code, tests and packet sequences. @module */
import type { Version } from './conformance.ts';

/** One use of a tag. */
export interface Tag {
  readonly file: string;
  /** Number without `MQTT-`. */
  readonly id: string;
  /** Undefined when the text does not say which version it means. */
  readonly version: Version | undefined;
  /** What a text in this file means when it does not say. */
  readonly fallback: Version;
  /** Name of the test that carries it; undefined in code. */
  readonly testName: string | undefined;
}

/** Finds the tags of one file. */
export function tagsOf(file: string, text: string): Tag[] {
  if (file.endsWith('.json')) return tagsOfSequences(file, text);
  if (file.endsWith('.test.ts')) return tagsOfTests(file, text);
  // What helps tests neither implements nor tests.
  if (file.startsWith('test/') || /\.testing\.ts$|test-support/.test(file)) return [];
  return text.split('\n').flatMap((line) => tagsOfText(line, { file, fallback: '5' }));
}

/** In tests a tag stands in a name: of a test, or of a row of a table of cases. */
function tagsOfTests(file: string, text: string): Tag[] {
  const fallback = FILES_OF_311.has(file) ? '3.1.1' : '5';
  const strings = text.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`/g);
  return [...strings].flatMap(([, single, double, template]) => {
    const name = single ?? double ?? template ?? '';
    const testName = plain(name).replaceAll("\\'", "'");
    return tagsOfText(name, { file, fallback, testName });
  });
}

function tagsOfSequences(file: string, text: string): Tag[] {
  const groups = JSON.parse(text) as readonly {
    readonly group: string;
    readonly ver?: number;
    readonly tests: readonly { readonly name: string }[];
  }[];
  return groups.flatMap(({ group, ver, tests }) =>
    tests.flatMap(({ name }) => {
      const testName = `${group}: ${plain(name)}`;
      const version = ver === 5 ? '5' : '3.1.1';
      return tagsOfText(name, { file, fallback: version, version, testName });
    }),
  );
}

/** Each tag means the version that is named last before it. */
function tagsOfText(
  text: string,
  of: Pick<Tag, 'file' | 'fallback'> & Partial<Pick<Tag, 'version' | 'testName'>>,
): Tag[] {
  const { file, fallback, testName } = of;
  let { version } = of;
  const tags: Tag[] = [];
  for (const [, named, number] of text.matchAll(/MQTT (5|3\.1\.1)\b|\[MQTT-([\d.-]+)\]/g)) {
    if (named !== undefined) version = named === '5' ? '5' : '3.1.1';
    if (number === undefined) continue;
    // The standard itself misprints this number.
    const id = number.replace('3-8.3', '3.8.3');
    tags.push({ file, id, version, fallback, testName });
  }
  return tags;
}

/** A name without its tags. */
function plain(name: string): string {
  const parts = name.replaceAll(/\(?\[MQTT-[\d.-]+\]\)?/g, '').replaceAll(/\s+/g, ' ');
  return parts.trim();
}

/** Tests that are about MQTT 3.1.1, and say so in their heads or their client. */
const FILES_OF_311: ReadonlySet<string> = new Set([
  'packages/protocol/src/mqtt/decode.test.ts',
  'test/integration/packets.test.ts',
  'test/integration/connect.test.ts',
  'test/integration/commands.test.ts',
  'test/integration/publish.test.ts',
]);
