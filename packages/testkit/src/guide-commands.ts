/**
 * Runs the commands of a page as they stand there. What is marked by an HTML comment before its
 * block is run, in the order of the page, in one shell:
 *
 * - `<!-- run -->`: the block succeeds;
 * - `<!-- run: shows TEXT -->`: it succeeds and prints TEXT;
 * - `<!-- run: fails, shows TEXT -->`: it fails and prints TEXT;
 * - `<!-- run: type the claim -->`: it runs at a terminal, where the claim that was printed last is
 *   typed when it is asked for;
 * - `<!-- file: NAME -->`: the block is saved under this name.
 * @module
 */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServerProcess } from './holdfast.ts';
import { type CodeBlock, readPage } from './markdown.ts';
import { type Run, run } from './run.ts';

const ROOT = join(import.meta.dirname, '../../..');
const COMMAND = join(ROOT, 'packages/cli/bin/holdfast.js');
const PAGE_MS_MAX = 400_000;

/** A block that was run, with what it printed. */
export interface RunBlock {
  readonly block: CodeBlock;
  readonly output: string;
}

/** What running a page gave. */
export interface PageRun {
  /** The blocks that were begun; when one was not as its mark says, it is the last. */
  readonly blocks: readonly RunBlock[];
  readonly run: Run;
}

/** The server that a page is about. */
export type PageServer = Pick<ServerProcess, 'ports' | 'dataDir'>;

/** The blocks of a page that are run or saved. */
export function markedBlocks(markdown: string): CodeBlock[] {
  return readPage(markdown).blocks.filter(({ mark }) => /^(?:run|file)(?::|$)/u.test(mark));
}

/** Runs a page against a server, in `folder`, in which a reader would be. */
export async function runPage(
  markdown: string,
  { server, folder }: { server: PageServer; folder: string },
): Promise<PageRun> {
  const work = join(folder, 'work');
  const bin = join(folder, 'bin');
  for (const path of [work, bin]) mkdirSync(path, { recursive: true });
  // What a reader has around: the repository, in which examples and packages are.
  for (const name of ['examples', 'node_modules', 'packages']) {
    symlinkSync(join(ROOT, name), join(work, name));
  }
  writeCommand(join(bin, 'holdfast'), `exec '${process.execPath}' '${COMMAND}' "$@"`);
  writeCommand(join(bin, 'npx'), `[ "$1" = holdfast ] && shift && exec holdfast "$@"`);
  const outputs: { block: CodeBlock; path: string }[] = [];
  const script = markedBlocks(markdown).map((block, at) => {
    const text = onPortsOf(server, block.text);
    if (block.mark.startsWith('file:')) {
      writeFileSync(join(work, fileName(block.mark)), text);
      return '';
    }
    const path = join(folder, `block-${at}`);
    outputs.push({ block, path: `${path}.out` });
    writeFileSync(path, text);
    return shellOf(block.mark, path);
  });
  const all = `set -e -o pipefail\ncd '${work}'\n${script.join('')}`;
  writeFileSync(join(folder, 'page.sh'), all);
  const result = await run('bash', [join(folder, 'page.sh')], {
    timeoutMs: PAGE_MS_MAX,
    env: {
      ...process.env,
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOLDFAST_DATA: server.dataDir,
      HOME: folder,
      NO_COLOR: '1',
    },
  });
  const blocks = outputs.flatMap(({ block, path }) => {
    const output = readIfThere(path);
    return output === undefined ? [] : [{ block, output }];
  });
  return { blocks, run: result };
}

/** What a page's mark says of the block, as shell. */
function shellOf(mark: string, path: string): string {
  const out = `'${path}.out'`;
  if (mark.includes('type the claim')) {
    const claim = `grep -ho 'holdfast-claim/[^ ]*' '${dirname(path)}'/*.out | tail -n 1`;
    return `${claim} | script -qefc "bash '${path}'" /dev/null > ${out} 2>&1\n`;
  }
  const call = `. '${path}' > ${out} 2>&1`;
  const shown = /shows (?<text>.+)$/su.exec(mark)?.groups?.['text'];
  const does = mark.startsWith('run: fails') ? `if ( ${call} ); then exit 90; fi\n` : `${call}\n`;
  if (shown === undefined) return does;
  return `${does}grep -qF -- '${shown.replaceAll("'", String.raw`'\''`)}' ${out} || exit 91\n`;
}

function onPortsOf({ ports }: PageServer, text: string): string {
  return text
    .replaceAll(/\b8883\b/gu, String(ports.broker))
    .replaceAll(/\b8443\b/gu, String(ports.api))
    .replaceAll(/\b8444\b/gu, String(ports.enroll));
}

function fileName(mark: string): string {
  const name = mark.replace(/^file:\s*/u, '');
  if (!/^[\w.-]+$/u.test(name)) throw new Error(`"${name}" is no name of a file`);
  return name;
}

function writeCommand(path: string, line: string): void {
  writeFileSync(path, `#!/bin/sh\n${line}\n`);
  chmodSync(path, 0o755);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
