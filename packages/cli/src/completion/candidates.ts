/** What can come next on a command line. @module */
import type { CommandEntry } from '../command-entry.ts';
import { type Command, type OptionSet, isManyArgument } from '../command.ts';
import { NOUNS } from '../nouns.ts';

/** A word that can come next, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly help: string;
}

interface Words {
  readonly kind: 'words';
  readonly words: readonly Candidate[];
}

/** What comes next: words that are known here, or something that has to be looked up. */
export type Next =
  | Words
  | { readonly kind: 'devices' | 'rollouts' | 'states' | 'classes' | 'groups' | 'tags' | 'files' };

const NOTHING: Words = { kind: 'words', words: [] };
const OF_ALL: readonly Candidate[] = [
  { word: '--help', help: 'what it does, with examples' },
  { word: '--no-color', help: 'print without color' },
];

/**
 * What can stand in the place of the last of `words`; those before it are whole.
 * @param words - Without `holdfast` itself.
 */
export async function nextOf(
  words: readonly string[],
  entries: readonly CommandEntry[],
): Promise<Next> {
  const given = words[0] === 'help' ? words.slice(1) : words;
  const before = given.slice(0, -1);
  const current = given.at(-1) ?? '';
  const after = wordsAfter(before, entries);
  const found = entries
    .filter(({ path }) => startsWith(before, path.split(' ')))
    .toSorted((a, b) => b.path.length - a.path.length)
    .at(0);
  if (found === undefined) return after;
  // Of a command that help is asked for, nothing more is said.
  if (words[0] === 'help') return NOTHING;
  const rest = before.slice(found.path.split(' ').length);
  const next = nextOfCommand(await found.load(), rest, current);
  // `simulate` is a command, and so is `simulate remove`.
  if (next.kind !== 'words') return next;
  return { kind: 'words', words: [...after.words, ...next.words] };
}

/** Nouns and verbs. */
function wordsAfter(before: readonly string[], entries: readonly CommandEntry[]): Words {
  const words = new Map<string, string>();
  for (const { path, summary } of entries) {
    const parts = path.split(' ');
    const word = parts[before.length];
    if (word === undefined || !startsWith(parts, before)) continue;
    const noun = parts.slice(0, before.length + 1).join(' ');
    words.set(word, noun === path ? summary : (NOUNS[noun]?.summary ?? ''));
  }
  if (before.length === 0) {
    words.set('help', 'what a command does, with examples');
    words.set('--version', 'print the version');
  }
  return { kind: 'words', words: [...words].map(([word, help]) => ({ word, help })) };
}

function nextOfCommand(command: Command, before: readonly string[], current: string): Next {
  if (before.includes('--')) return NOTHING;
  const last = before.at(-1);
  const option = last?.startsWith('--') === true ? command.options[last.slice(2)] : undefined;
  if (option?.type === 'string') return nextOfValue(option.value ?? '', command);
  const known = optionsLeft(command.options, before);
  if (current.startsWith('-')) return { kind: 'words', words: known };
  const next = nextOfArgument(command, countArguments(command.options, before));
  // Where there is nothing to give, the options are what is left.
  return next === NOTHING ? { kind: 'words', words: known } : next;
}

function nextOfValue(value: string, { path }: Command): Next {
  if (FILE_VALUES.has(value)) return { kind: 'files' };
  if (value.includes('|')) return { kind: 'words', words: value.split('|').map(wordAlone) };
  const facet = FACET_VALUES[value];
  if (facet !== undefined) return { kind: facet };
  if (value === 'ID' && DEVICE_NOUNS.has(nounOf(path))) return { kind: 'devices' };
  return NOTHING;
}

function nextOfArgument({ path, arguments: names = [] }: Command, at: number): Next {
  const isOpen = isManyArgument(names.at(-1));
  const name = names[at] ?? (isOpen ? names.at(-1) : undefined);
  if (name === undefined) return NOTHING;
  const plain = name.replace(/(?:\.{3})?\??$/u, '').toLowerCase();
  if (FILE_ARGUMENTS.has(plain)) return { kind: 'files' };
  if (plain === 'device') return { kind: 'devices' };
  if (plain === 'class') return { kind: 'classes' };
  // A device that is to be added has no id that could be looked up.
  if (plain !== 'id' || path === 'device add') return NOTHING;
  if (DEVICE_NOUNS.has(nounOf(path))) return { kind: 'devices' };
  return nounOf(path) === 'rollout' ? { kind: 'rollouts' } : NOTHING;
}

/** The options that can still be given. */
function optionsLeft(options: OptionSet, before: readonly string[]): Candidate[] {
  const own = Object.entries(options)
    .filter(([name, { multiple }]) => multiple === true || !before.includes(`--${name}`))
    .map(([name, { help }]) => ({ word: `--${name}`, help }));
  return [...own, ...OF_ALL];
}

/** How many arguments were given: neither options nor their values. */
function countArguments(options: OptionSet, before: readonly string[]): number {
  return before.filter((word, at) => {
    if (word.startsWith('-')) return false;
    const option = before[at - 1] ?? '';
    return !option.startsWith('--') || options[option.slice(2)]?.type !== 'string';
  }).length;
}

function startsWith(words: readonly string[], first: readonly string[]): boolean {
  return first.every((word, at) => words[at] === word);
}

function wordAlone(word: string): Candidate {
  return { word, help: '' };
}

function nounOf(path: string): string {
  return path.split(' ', 1)[0] ?? path;
}

const DEVICE_NOUNS = new Set(['device', 'readings', 'series', 'refusals', 'fw', 'audit']);
const FACET_VALUES: Readonly<Partial<Record<string, 'states' | 'classes' | 'groups' | 'tags'>>> = {
  STATE: 'states',
  CLASS: 'classes',
  GROUP: 'groups',
  TAG: 'tags',
};
const FILE_VALUES = new Set(['FILE', 'FILES', 'FOLDER', 'PATH']);
const FILE_ARGUMENTS = new Set(['file', 'files', 'bundle', 'folder', 'request', 'name=files:n']);
