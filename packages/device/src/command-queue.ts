/** Commands from PUBLISH to PUBACK: verified and handled one after the other. @module */
import { Refusal, type RefusalCode, refuse } from '@holdfast/protocol';
import type { Publish } from '@holdfast/protocol/mqtt';
import type { Command, verifyCommand } from './command.ts';
import { DeviceError } from './device-error.ts';
import { COMMANDS_WAITING_MAX } from './limits.ts';

/** Carries out a command. Its PUBACK is sent when it returns, or its promise settles. */
export type CommandHandler = (command: Command) => void | Promise<void>;

/** A message below `d/<id>/cmd/` that had no effect, or not its whole effect. */
export interface RefusedCommand {
  readonly topic: string;
  /** `E_DEVICE_HANDLER`: the command was genuine, but its handler threw. */
  readonly code: RefusalCode | 'E_DEVICE_HANDLER' | 'E_DEVICE_COUNTER';
  /** One sentence: what was found. */
  readonly detail: string;
  /** What the handler or the disk threw. */
  readonly cause?: unknown;
}

/** What a queue of commands needs. */
export interface CommandQueueDeps {
  /** Verifies and marks a message, at the moment at which it would be handled. */
  readonly verify: (publish: Publish) => ReturnType<typeof verifyCommand>;
  /** Never throws. */
  readonly report: (refused: RefusedCommand) => void;
}

/** Handles commands in the order in which they came. */
export class CommandQueue {
  readonly #deps: CommandQueueDeps;
  #handler: CommandHandler = () => {};
  #last: Promise<void> = Promise.resolve();
  #waitingCount = 0;
  #isStopped = false;

  constructor(deps: CommandQueueDeps) {
    this.#deps = deps;
  }

  setHandler(handler: CommandHandler): void {
    this.#handler = handler;
  }

  /**
   * Takes a message.
   * @param done - called when the message needs no resend: handled, or refused for good
   */
  add(publish: Publish, done: () => void): void {
    if (this.#waitingCount >= COMMANDS_WAITING_MAX) {
      const detail = `${COMMANDS_WAITING_MAX} commands wait already`;
      this.#report(publish, refuse('E_SESSION_LIMIT', detail));
      return;
    }
    this.#waitingCount += 1;
    this.#last = this.#handleAfter(this.#last, publish, done);
  }

  /** Handles nothing more, but for the command that is being handled. */
  stop(): void {
    this.#isStopped = true;
  }

  async #handleAfter(previous: Promise<void>, publish: Publish, done: () => void): Promise<void> {
    await previous;
    this.#waitingCount -= 1;
    if (!this.#isStopped && (await this.#handle(publish))) done();
  }

  /** @returns false when the message should be sent again later. */
  async #handle(publish: Publish): Promise<boolean> {
    const { topic } = publish;
    let command: Command | Refusal;
    try {
      command = this.#deps.verify(publish);
    } catch (cause) {
      const detail = cause instanceof DeviceError ? cause.message : 'its counter cannot be marked';
      this.#deps.report({ topic, code: 'E_DEVICE_COUNTER', detail, cause });
      return false;
    }
    if (command instanceof Refusal) {
      this.#report(publish, command);
      return true;
    }
    try {
      await this.#handler(command);
    } catch (cause) {
      const detail = `the handler of ${command.name} threw`;
      this.#deps.report({ topic, code: 'E_DEVICE_HANDLER', detail, cause });
    }
    return true;
  }

  #report({ topic }: Publish, { code, detail }: Refusal): void {
    this.#deps.report({ topic, code, detail });
  }
}
