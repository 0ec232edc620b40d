/** The person at the terminal, or the pipe in their place. @module */
import { createInterface } from 'node:readline/promises';
import { type Readable, Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { Failure } from './failure.ts';
import { printableLines } from './printable.ts';
import type { Input, Output } from './world.ts';

/**
 * An output stream of the process. It has color on a terminal that can show it, unless NO_COLOR is
 * set to anything (no-color.org) or `--no-color` is given.
 */
export function outputOf(
  stream: WriteStream,
  { isTty, isPlain }: { readonly isTty: boolean; readonly isPlain: boolean },
): Output {
  return {
    write: (text) => void stream.write(text),
    isTty,
    hasColor: isTty && !isPlain && stream.hasColors(),
    // A window can be resized while something is watched.
    get columns() {
      return sizeOr(stream.columns, COLUMNS_DEFAULT);
    },
    get rows() {
      return sizeOr(stream.rows, ROWS_DEFAULT);
    },
  };
}

/** A terminal that nobody has told its size says 0, and what is none says nothing. */
function sizeOr(size: number | undefined, otherwise: number): number {
  return size === undefined || size === 0 ? otherwise : size;
}

/** Where questions are shown. */
type Screen = Writable & Partial<Pick<WriteStream, 'isTTY'>>;

/**
 * Standard input. Questions go to `screen`, so that standard output stays clean. They may name what
 * a server or a file says, which the terminal must not obey.
 */
export function inputOf(stream: Readable, isTty: boolean, screen: Screen): Input {
  return {
    isTty,
    readAll: async () => (await stream.setEncoding('utf8').toArray()).join(''),
    ask: (question) => ask(stream, { question, screen, echo: screen }),
    askHidden: async (question) => {
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      screen.write(printableLines(question));
      try {
        return await ask(stream, { question: '', screen, echo: nowhere });
      } finally {
        screen.write('\n');
      }
    },
  };
}

function ask(
  input: Readable,
  { question, screen, echo }: { question: string; screen: Screen; echo: Writable },
): Promise<string> {
  const lines = createInterface({
    input,
    output: echo,
    terminal: screen.isTTY === true,
    historySize: 0,
  });
  return new Promise<string>((resolve, reject) => {
    // Both would leave the question open for ever: Ctrl-C, and the end of the input (Ctrl-D).
    const stop = () => reject(stopped());
    lines.on('SIGINT', stop);
    lines.on('close', stop);
    lines.question(printableLines(question)).then(resolve, reject);
  }).finally(() => lines.close());
}

function stopped(): Failure {
  return new Failure('E_CLI_STOPPED', {
    what: 'Stopped before it was answered; nothing was done.',
    why: 'The input ended, or you pressed Ctrl-C.',
    fix: 'Run the command again.',
  });
}

const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;
