/** What a broker under test is to the benchmark. @module */
import type { Fleet } from '../fleet/fleet.ts';
import type { Level } from '../load/frames.ts';
import type { MessageForm } from '../load/messages.ts';

/** Where and with what a broker is started. */
export interface StartContext {
  readonly fleet: Fleet;
  /** An empty folder for its files, on a disk. */
  readonly folder: string;
  /** The data folder of a Holdfast that knows the fleet, to be copied. */
  readonly dataTemplate: string;
  /** Counts the fsyncs of the broker; slows it down, so nothing else is measured then. */
  readonly countsFsyncs?: boolean | undefined;
  /** Folder for processor profiles of a broker that runs on Node. */
  readonly profiles?: string | undefined;
}

/** A broker that runs. */
export interface RunningBroker {
  readonly pid: number;
  readonly port: number;
  /** Ends it and all its processes; gives what it has to say of its files. */
  stop(): Promise<StopReport>;
}

/** What is known after the end. */
export interface StopReport {
  readonly fsyncs?: number | undefined;
  /** Messages that are on the disk for good, verified; only where a broker stores them so. */
  readonly storedMessages?: number | undefined;
  readonly problem?: string | undefined;
}

/** One column of the benchmark: a broker in one way of use. */
export interface Target {
  readonly name: string;
  /** What is on, in a few words. */
  readonly what: string;
  readonly form: MessageForm;
  /** Protocol level of the subscribers: 5 where the broker has it, for its receive maximum. */
  readonly subscriberLevel: Level;
  /** Why it cannot be measured here; undefined when it can. */
  missing(): string | undefined;
  start(context: StartContext): Promise<RunningBroker>;
}
