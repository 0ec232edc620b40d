/** The person at the terminal, or the pipe in their place. @module */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { Failure } from './failure.ts';
import { printable } from './printable.ts';
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

/** Standard input. Questions go to `screen`, so that standard output stays clean. */
export function inputOf(stream: ReadStream, isTty: boolean, screen: WriteStream): Input {
  return {
    isTty,
    readAll: async () => (await stream.setEncoding('utf8').toArray()).join(''),
    ask: (question) => ask(stream, { question, screen, echo: screen }),
    askHidden: async (question) => {
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      screen.write(question);
      try {
        return await ask(stream, { question: '', screen, echo: nowhere });
      } finally {
        screen.write('\n');
      }
    },
  };
}

function ask(
  input: ReadStream,
  { question, screen, echo }: { question: string; screen: WriteStream; echo: Writable },
): Promise<string> {
  const lines = createInterface({ input, output: echo, terminal: screen.isTTY, historySize: 0 });
  return new Promise<string>((resolve, reject) => {
    // Both would leave the question open for ever: Ctrl-C, and the end of the input (Ctrl-D).
    const stop = () => reject(stopped());
    lines.on('SIGINT', stop);
    lines.on('close', stop);
    lines.question(printable(question)).then(resolve, reject);
  }).finally(() => lines.close());
}

function stopped(): Failure {
  return new Failure('E_CLI_STOPPED', {
    what: 'Stopped before it was answered; nothing was done.',
    fix: 'Run the command again.',
  });
}

const COLUMNS_DEFAULT = 80;
