/** What the agent remembers of its update, whatever happens to its power. @module */
import {
  type Release,
  UPDATE_STATES,
  type UpdateReport,
  UpdateReportSchema,
  type UpdateState,
} from '@holdfast/firmware';
import { FieldError, Fields } from './fields.ts';
import { REPORTS_WAITING_MAX } from './limits.ts';
import type { SlotName } from './slots.ts';

/** The image that is confirmed. */
export interface ConfirmedImage {
  /** `<line>@<version>`; undefined when nobody told. */
  readonly release?: string | undefined;
  /** SHA-256 in hexadecimal. */
  readonly sha256?: string | undefined;
  /** Of its release; updates with a lower one are refused. */
  readonly counter: number;
}

/** The image of an update. */
export interface UpdateImage {
  readonly release: string;
  readonly sha256: string;
  /** Bytes. */
  readonly length: number;
  readonly counter: number;
}

/** The update that goes on, or ended last. */
export interface CurrentUpdate {
  readonly state: UpdateState;
  readonly image?: UpdateImage | undefined;
  /** Release that the server named, where its metadata were not accepted: there is no image. */
  readonly offered?: string | undefined;
  /** The slot that it goes into; from `verified` on. */
  readonly slot?: SlotName | undefined;
  /** What the server called its assignment: an update that ended is not begun again for it. */
  readonly revision?: string | undefined;
  /** Whether the server could be reached shortly before the restart. */
  readonly couldConnect: boolean;
  /** Restarts that were asked for to start the new image. */
  readonly restarts: number;
  /** Why it failed or goes back. */
  readonly why?: string | undefined;
}

/** All that is remembered, written as one. */
export interface AgentRecord {
  readonly confirmed: ConfirmedImage;
  readonly update: CurrentUpdate;
  /** Reports that the server has not acknowledged, in their order. */
  readonly reports: readonly UpdateReport[];
}

/** States in which nothing goes on. */
export const RESTING: ReadonlySet<UpdateState> = new Set<UpdateState>([
  'idle',
  'confirmed',
  'reverted',
  'failed',
]);

/** A record before the first update. */
export function newRecord(confirmed: ConfirmedImage): AgentRecord {
  return { confirmed, update: { state: 'idle', couldConnect: false, restarts: 0 }, reports: [] };
}

/** What is kept of a release. */
export function imageOf({ id, sha256, length, custom }: Release): UpdateImage {
  return { release: id, sha256, length, counter: custom.counter };
}

export function formatRecord(record: AgentRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Reads a record; undefined when it does not have its form. */
export function readRecord(text: string): AgentRecord | undefined {
  try {
    const fields = new Fields(JSON.parse(text));
    const confirmed = readConfirmed(fields.object('confirmed'));
    const update = readUpdate(fields.object('update'));
    const reports = fields.list('reports', { max: REPORTS_WAITING_MAX, read: readReport });
    fields.end();
    return { confirmed, update, reports };
  } catch (cause) {
    if (cause instanceof FieldError || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** Reads what is confirmed; also a part of the configuration. */
export function readConfirmed(fields: Fields): ConfirmedImage {
  const release = fields.optionalText('release', RELEASE);
  const sha256 = fields.optionalText('sha256', SHA256);
  const counter = fields.integer('counter', COUNTER);
  fields.end();
  return { release, sha256, counter };
}

function readUpdate(fields: Fields): CurrentUpdate {
  const update = {
    state: fields.oneOf('state', UPDATE_STATES),
    image: fields.has('image') ? readImage(fields.object('image')) : undefined,
    offered: fields.optionalText('offered', RELEASE),
    slot: fields.has('slot') ? fields.oneOf('slot', ['a', 'b']) : undefined,
    revision: fields.optionalText('revision'),
    couldConnect: fields.boolean('couldConnect'),
    restarts: fields.integer('restarts', { min: 0, max: 2 ** 31 }),
    why: fields.optionalText('why'),
  };
  fields.end();
  return update;
}

function readImage(fields: Fields): UpdateImage {
  const image = {
    release: fields.text('release', RELEASE),
    sha256: fields.text('sha256', SHA256),
    length: fields.integer('length', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    counter: fields.integer('counter', COUNTER),
  };
  fields.end();
  return image;
}

function readReport(part: unknown, path: string): UpdateReport {
  const { data } = UpdateReportSchema.safeParse(part);
  if (data === undefined) throw new FieldError(`${path} is no report`);
  return data;
}

const COUNTER = { min: 0, max: 2 ** 31 - 1 };
const SHA256 = /^[0-9a-f]{64}$/u;
const RELEASE = /^[0-9A-Za-z.+@-]{1,65}$/u;
