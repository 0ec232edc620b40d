/** A world for the tests of the command line: what is written is kept, what is asked is scripted. @module */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, TransportOptions } from '@holdfast/client';
import { Failure } from './failure.ts';
import { run } from './run.ts';
import type { Output, World } from './world.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
process.once('exit', () => rmSync(ROOT, { recursive: true }));

/** What a test says of the world; everything else fails the test when a command touches it. */
export interface FakeWorldOptions {
  readonly client?: Partial<Client>;
  readonly server?: Partial<Awaited<ReturnType<World['server']>>>;
  readonly device?: Partial<Awaited<ReturnType<World['device']>>>;
  readonly isTty?: boolean;
  /** Answers to questions, in order; also what standard input holds. */
  readonly answers?: readonly string[];
  /** False when no server runs on the data folder. */
  readonly hasLocalServer?: boolean;
  /** How often a command may pause; then it is as if Ctrl-C had ended it. */
  readonly pauses?: number;
}

/** Ends a command that would go on for ever, as Ctrl-C does. */
class Stopped extends Failure {
  constructor() {
    super('E_CLI_STOPPED', { what: 'stopped', why: undefined, fix: '' });
  }
}

/** A world, and what happened in it. */
export class FakeWorld implements World {
  readonly home: string = mkdtempSync(join(ROOT, 'home-'));
  readonly env: Record<string, string | undefined>;
  readonly hostName = 'desk';
  readonly timeZone = 'Europe/Berlin';
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly stdout: Output;
  readonly stderr: Output;
  readonly input: World['input'];
  /** With what clients were made. */
  readonly connections: TransportOptions[] = [];
  readonly exits: number[] = [];
  readonly stopListeners: (() => void)[] = [];
  time: number = Date.parse('2026-11-21T04:00:00Z');
  #pauses = 0;
  readonly #options: FakeWorldOptions;

  constructor(options: FakeWorldOptions = {}) {
    this.#options = options;
    this.env = { HOLDFAST_DATA: join(this.home, 'data') };
    if (options.hasLocalServer !== false) this.startLocalServer('hf_local');
    const isTty = options.isTty === true;
    const output = (lines: string[]): Output => ({
      write: (text) => void lines.push(text),
      isTty,
      hasColor: false,
      columns: 80,
      rows: 24,
    });
    this.stdout = output(this.out);
    this.stderr = output(this.err);
    const answers = [...(options.answers ?? [])];
    const answer = (question: string) => {
      this.err.push(question);
      return Promise.resolve(answers.shift() ?? assert.fail(`nobody answers "${question}"`));
    };
    const readAll = () => Promise.resolve(answers.splice(0).join('\n'));
    this.input = { isTty, readAll, ask: answer, askHidden: answer };
  }

  /** Puts the local access of a server into the data folder. */
  startLocalServer(token: string): void {
    const folder = join(this.home, 'data');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const access = { version: 1, url: 'https://localhost:8443', token, anchorPem: 'PEM', pin: 'p' };
    writeFileSync(join(folder, 'cli.json'), JSON.stringify(access), { mode: 0o600 });
  }

  /** Runs a command line. @returns its exit code. */
  run(...args: string[]): Promise<number> {
    return run(args, this);
  }

  get outText(): string {
    return this.out.join('');
  }

  get errText(): string {
    return this.err.join('');
  }

  nowMs = (): number => this.time;
  pause = (ms: number, signal?: AbortSignal): Promise<void> => {
    // What can be ended is a time-out, and here everything answers in time.
    if (signal !== undefined) return new Promise(() => {});
    this.#pauses += 1;
    this.time += ms;
    if (this.#pauses > (this.#options.pauses ?? 0)) return Promise.reject(new Stopped());
    return Promise.resolve();
  };
  onStopSignal = (listener: () => void): void => void this.stopListeners.push(listener);
  exit = (code: number): void => void this.exits.push(code);

  connect = (options: TransportOptions): Promise<Client> => {
    this.connections.push(options);
    return Promise.resolve(strict<Client>({ close: () => {}, ...this.#options.client }));
  };

  server = () => Promise.resolve(strict({ ...this.#options.server }));
  device = () =>
    Promise.resolve(strict(this.#options.device ?? assert.fail('no device SDK expected')));
}

/** An object of which a test gave only some members: touching another fails the test. */
function strict<T extends object>(partial: Partial<T>): T {
  return new Proxy(partial, {
    get(target, name) {
      // A promise looks whether what it is given is one.
      if (name === 'then') return undefined;
      return Reflect.get(target, name) ?? assert.fail(`${String(name)} is not expected`);
    },
  }) as T;
}
