/** The person at the terminal, or the pipe in their place. @module */
import { createInterface } from 'node:readline/promises';
import { type Readable, Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { Failure } from './failure.ts';
import { printableLines } from './printable.ts';
import type { Input, Output } from './world.ts';

/** An output stream of the process. It has color on a terminal, unless NO_COLOR is set. */
export function outputOf(stream: WriteStream, isTty: boolean): Output {
  return {
    write: (text) => void stream.write(text),
    isTty,
    hasColor: isTty && stream.hasColors(),
    columns: stream.columns ?? COLUMNS_DEFAULT,
  };
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
    fix: 'Run the command again.',
  });
}

const COLUMNS_DEFAULT = 80;
