/** Reads processor profiles that Node wrote, and says where the time went. @module */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The part of a `.cpuprofile` that is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Flags with which Node writes a profile of each of its threads when it ends. */
export function profileFlags(folder: string | undefined): string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

/** The functions that took most time by themselves, for each thread; lines to print. */
export function readProfiles(folder: string, count: number): string[] {
  const lines: string[] = [];
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.cpuprofile')) continue;
    const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
    lines.push(`  ${name}`, ...topOf(profile, count));
  }
  return lines;
}

function topOf({ nodes, samples, timeDeltas }: CpuProfile, count: number): string[] {
  const places = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.split('/').slice(-2).join('/');
      return [id, `${functionName || '(anonymous)'} ${file}${file && `:${lineNumber + 1}`}`];
    }),
  );
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  for (const [at, id] of samples.entries()) {
    const place = places.get(id) ?? '';
    const deltaUs = timeDeltas[at] ?? 0;
    selfUs.set(place, (selfUs.get(place) ?? 0) + deltaUs);
    totalUs += deltaUs;
  }
  return [...selfUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([place, us]) => `    ${((us / totalUs) * 100).toFixed(1).padStart(5)} %  ${place}`);
}
