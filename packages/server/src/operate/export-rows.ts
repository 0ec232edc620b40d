/** What an export consists of: its columns, and where its rows come from. @module */
import type { ExportKind } from '@holdfast/protocol/api';
import type { Device } from '../registry/index.ts';
import type { ActRecord, History, Reading } from '../telemetry/index.ts';
import { EXPORT_PAGE } from './limits.ts';

/** A cell: a whole number, a time in milliseconds since 1970, or a text. */
export type Cell = number | Date | string;

/** A column of an export. */
export interface Column {
  readonly name: string;
  readonly type: 'INT64' | 'TIMESTAMP' | 'STRING';
}
export type Row = Readonly<Record<string, Cell>>;

/** The time between which items count. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

const integer = (name: string): Column => ({ name, type: 'INT64' });
const moment = (name: string): Column => ({ name, type: 'TIMESTAMP' });
const text = (name: string): Column => ({ name, type: 'STRING' });

export const EXPORT_COLUMNS: Readonly<Record<ExportKind, readonly Column[]>> = {
  readings: [
    integer('index'),
    moment('at'),
    text('device'),
    text('topic'),
    text('kid'),
    text('payload'),
  ],
  acts: [
    integer('index'),
    moment('at'),
    text('action'),
    text('principal'),
    text('target'),
    text('reason'),
    text('facts'),
  ],
  devices: [
    text('id'),
    text('class'),
    text('group'),
    text('state'),
    text('stateReason'),
    text('stateBy'),
    moment('createdAt'),
  ],
};

export function readingRow({ index, atMs, deviceId, topic, kid, payload }: Reading): Row {
  return { index, at: new Date(atMs), device: deviceId, topic, kid, payload };
}

export function actRow({ index, atMs, action, principal, target, reason, facts }: ActRecord): Row {
  return {
    index,
    at: new Date(atMs),
    action,
    principal,
    target: target ?? '',
    reason: reason ?? '',
    facts: facts === undefined ? '' : JSON.stringify(facts),
  };
}

export function deviceRow(device: Device): Row {
  const { id, group, state, stateReason, stateBy, createdAtMs } = device;
  const facts = { id, class: device.class, group, state, stateReason, stateBy };
  return { ...facts, createdAt: new Date(createdAtMs) };
}

/**
 * The items of a history within a span of time, the newest first.
 * @param mayStill - Asked before each page: a right that has ended ends the export.
 */
export async function* itemsWithin<T extends { readonly index: number; readonly atMs: number }>(
  history: History<T>,
  { fromMs, toMs }: TimeSpan,
  mayStill: () => void,
): AsyncGenerator<T> {
  let before: number | undefined;
  for (;;) {
    mayStill();
    const page: T[] = await history.read({ limit: EXPORT_PAGE, before });
    for (const item of page) {
      if (item.atMs < fromMs) return;
      if (item.atMs < toMs) yield item;
    }
    before = page.at(-1)?.index;
    if (before === undefined || page.length < EXPORT_PAGE) return;
  }
}
