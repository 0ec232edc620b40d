/** `holdfast __complete`: what the scripts of the shells ask at each Tab. @module */
import { withClient } from '../access.ts';
import type { CommandEntry } from '../command-entry.ts';
import { printable } from '../printable.ts';
import type { World } from '../world.ts';
import { type Candidate, type Next, nextOf } from './candidates.ts';

/** How long the server may take: whoever has pressed Tab waits. */
const SERVER_MS_MAX = 1_500;
/** More words than that help nobody to choose. */
const LOOKED_UP_MAX = 200;

/**
 * Prints what can come next, a line each: the word, a tab, what it means; or `:files`, for the
 * names of files. Whatever fails, nothing is printed: it must not disturb who is typing.
 */
export async function complete(
  world: World,
  args: readonly string[],
  entries: readonly CommandEntry[],
): Promise<void> {
  const { words, data } = typed(args);
  const current = words.at(-1) ?? '';
  try {
    const next = await nextOf(words, entries);
    if (next.kind === 'files') return world.stdout.write(':files\n');
    const found =
      next.kind === 'words'
        ? next.words
        : (await lookUp(world, next.kind, { current, data })).filter(({ word }) => NAME.test(word));
    const fitting = found.filter(({ word }) => word.startsWith(current));
    world.stdout.write(fitting.map(lineOf).join(''));
  } catch {
    // No server, no login, no right to ask, or a bug: there is just no help for this word.
  }
}

/** Bash takes `=` for a word of its own. */
function typed(args: readonly string[]): { words: readonly string[]; data: string | undefined } {
  const given = args[0] === '--' ? args.slice(1) : args;
  const words = given.filter((word) => word !== '=');
  const at = words.slice(0, -2).indexOf('--data');
  return { words, data: at === -1 ? undefined : words[at + 1] };
}

type Kind = Exclude<Next['kind'], 'words' | 'files'>;

async function lookUp(
  world: World,
  kind: Kind,
  { current, data }: { readonly current: string; readonly data: string | undefined },
): Promise<readonly Candidate[]> {
  const answered = new AbortController();
  const late = world.pause(SERVER_MS_MAX, answered.signal).then((): Candidate[] => []);
  // Ended because there is an answer: nobody waits for it any more.
  late.catch(() => {});
  return withClient(world, data, async (client) => {
    const ask = async (): Promise<readonly Candidate[]> => {
      if (kind === 'rollouts') {
        const rollouts = await client.rollouts();
        return rollouts.map(({ id, release, state }) => ({
          word: id,
          help: `${release}, ${state}`,
        }));
      }
      if (kind === 'devices') {
        const query = { limit: LOOKED_UP_MAX, ...(current !== '' && { q: current }) };
        const { devices } = await client.devicePage(query);
        return devices.map(({ id, class: className, state }) => ({
          word: id,
          help: `${className}, ${state}`,
        }));
      }
      const values = (await client.deviceFacets())[kind];
      return values
        .filter(({ value }) => value !== '')
        .map(({ value, devices }) => ({ word: value, help: `${devices} devices` }));
    };
    try {
      return await Promise.race([ask(), late]);
    } finally {
      answered.abort();
    }
  });
}

/**
 * Bash puts a word on the line as it is, and obeys what stands there when Enter is pressed: a server
 * must not say `$(reboot)`, nor an option where an id is asked for.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/u;

function lineOf({ word, help }: Candidate): string {
  return `${word}\t${printable(help)}\n`;
}
