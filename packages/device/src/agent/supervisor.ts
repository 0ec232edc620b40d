/**
 * The boot loader of programs: starts the one in the slot that is due, counts its tries before the
 * start, and goes back when a new one ends or is never confirmed. It knows nothing of the network,
 * and works whether or not the agent lives.
 * @module
 */
import { BackOff } from '../back-off.ts';
import type { CancelTimer, Clock, RandomFraction } from '../clock.ts';
import type { DirectorySlots } from './directory-slots.ts';
import { RESTART_BACK_OFF, SUPERVISOR_LEASE_MS } from './limits.ts';
import type { SlotName } from './slots.ts';

/** A process that was started. */
export interface SupervisedProcess {
  /** Resolves with words about its end. */
  readonly ended: Promise<string>;
  /** Lets it end: gently first, then by force. */
  stop(): Promise<void>;
}

/** What an agent says to its supervisor. */
export type AgentWord =
  /** The slot that is due has changed: start again. */
  | 'restart'
  /** The trial goes on longer, as the server could not be reached before either. */
  | 'waiting';

/** What a supervisor works with. */
export interface SupervisorDeps {
  readonly slots: DirectorySlots;
  readonly clock: Clock;
  readonly random: RandomFraction;
  /** Time in which a new program has to be confirmed, in milliseconds. */
  readonly confirmWithinMs: number;
  readonly startProgram: (slot: SlotName) => SupervisedProcess;
  readonly startAgent: (hear: (word: AgentWord) => void) => SupervisedProcess;
  /** One sentence for the log of the service. */
  readonly say: (line: string) => void;
}

/** Why the program is started anew. */
type Turn = 'ended' | 'restart' | 'deadline' | 'stopped';

/** Supervises one program and its agent. */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #programBackOff: BackOff;
  #agent: SupervisedProcess | undefined;
  #isStopped = false;
  #turn: (turn: Turn) => void = () => {};
  #cancelDeadline: CancelTimer = () => {};

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#programBackOff = new BackOff(deps.random, RESTART_BACK_OFF);
  }

  /** Runs until {@link Supervisor.stop}. */
  async run(): Promise<void> {
    let last: SlotName | undefined;
    while (!this.#isStopped) {
      const slot = this.#deps.slots.start();
      const isTrial = this.#isOnTrial(slot);
      // A new start of a trial is a new trial; else the agent goes on with what it does.
      if (slot !== last || isTrial) await this.#endAgent();
      last = slot;
      await this.#runProgram(slot, isTrial);
    }
    await this.#endAgent();
  }

  /** Ends the program and the agent; then {@link Supervisor.run} resolves. */
  stop(): void {
    this.#isStopped = true;
    this.#turn('stopped');
  }

  async #runProgram(slot: SlotName, isTrial: boolean): Promise<void> {
    const { clock, startProgram, say, confirmWithinMs } = this.#deps;
    say(`Slot ${slot} is started${isTrial ? ' on trial' : ''}.`);
    const startedMs = clock.monotonicMs();
    const program = startProgram(slot);
    const turned = new Promise<Turn>((resolve) => {
      this.#turn = resolve;
    });
    void this.#awaitProgram(program, slot);
    if (this.#isStopped) this.#turn('stopped');
    if (isTrial) this.#setDeadline(slot, confirmWithinMs);
    this.#keepAgent();
    const turn = await turned;
    this.#cancelDeadline();
    await program.stop();
    if (turn === 'ended' && !this.#isOnTrial(slot)) {
      await this.#pause(this.#programBackOff.delayMs(clock.monotonicMs() - startedMs));
    }
  }

  async #awaitProgram(program: SupervisedProcess, slot: SlotName): Promise<void> {
    const turn = this.#turn;
    this.#deps.say(`The program of slot ${slot} ended: ${await program.ended}.`);
    turn('ended');
  }

  #isOnTrial(slot: SlotName): boolean {
    return this.#deps.slots.boot().trial === slot;
  }

  #setDeadline(slot: SlotName, ms: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#deps.clock.after(ms, () => {
      if (!this.#isOnTrial(slot)) return;
      this.#deps.say(`Slot ${slot} is not confirmed in time.`);
      this.#turn('deadline');
    });
  }

  #hear(word: AgentWord): void {
    if (word === 'restart') {
      this.#turn('restart');
      return;
    }
    const { slot, trial } = this.#deps.slots.boot();
    this.#setDeadline(trial ?? slot, SUPERVISOR_LEASE_MS);
  }

  /** An agent that ends is started again, as long as its supervisor lives. */
  #keepAgent(): void {
    if (this.#agent !== undefined || this.#isStopped) return;
    this.#startAgent(new BackOff(this.#deps.random, RESTART_BACK_OFF));
  }

  #startAgent(backOff: BackOff): void {
    const agent = this.#deps.startAgent((word) => this.#hear(word));
    this.#agent = agent;
    void this.#awaitAgent(agent, backOff);
  }

  async #awaitAgent(agent: SupervisedProcess, backOff: BackOff): Promise<void> {
    const { clock, say } = this.#deps;
    const startedMs = clock.monotonicMs();
    const words = await agent.ended;
    if (this.#agent !== agent) return;
    say(`The agent ended: ${words}.`);
    clock.after(backOff.delayMs(clock.monotonicMs() - startedMs), () => {
      if (this.#agent === agent && !this.#isStopped) this.#startAgent(backOff);
    });
  }

  async #endAgent(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.stop();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(ms, resolve);
      this.#turn = () => {
        cancel();
        resolve();
      };
      if (this.#isStopped) this.#turn('stopped');
    });
  }
}
