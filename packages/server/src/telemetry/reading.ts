/** Readings and refusals as operators see them. @module */
import type { RefusalCode } from '@holdfast/protocol';

/** A verified message of a device, as it was received. */
export interface Reading {
  /** Its place in the audit log. */
  readonly index: number;
  readonly atMs: number;
  readonly deviceId: string;
  readonly topic: string;
  /** Key id that signed it. */
  readonly kid: string;
  /** The exact payload: signed JSON in UTF-8. */
  readonly payload: string;
}

/** A refusal on the audit log. */
export interface RefusalRecord {
  readonly index: number;
  readonly atMs: number;
  readonly code: RefusalCode;
  readonly detail: string;
  readonly principal?: string | undefined;
  readonly address?: string | undefined;
  readonly topic?: string | undefined;
  readonly claimed?: string | undefined;
  /** How many like it this one stands for; more than 1 when a flood was summed up. */
  readonly count: number;
}

/** An administrative act on the audit log. */
export interface ActRecord {
  readonly index: number;
  readonly atMs: number;
  readonly action: string;
  readonly principal: string;
  readonly target?: string | undefined;
  readonly reason?: string | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** Which part of a history is wanted: the newest entries first, at most `limit` (1 to 1,000). */
export interface Page {
  readonly limit: number;
  /** Only entries with a smaller index. */
  readonly before?: number | undefined;
}

/** A history that can be read backwards and followed. */
export interface History<T> {
  /** Newest first. */
  read(page: Page): Promise<T[]>;
  /** Calls `listener` for each new one once it is durable, until the returned function is called. */
  follow(listener: (item: T) => void): () => void;
}

/** The histories that operators read. */
export interface Histories {
  readings(deviceId: string): History<Reading>;
  readonly refusals: History<RefusalRecord>;
  readonly acts: History<ActRecord>;
}
