/** Structured logs with ECS field names: JSON lines, or one readable line on a terminal. @module */
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import type * as Pino from 'pino';

export type Log = Pino.Logger;

const require = createRequire(import.meta.url);

/** Where and how to log. */
export interface LogOptions {
  /** `json` for machines, `text` for a person at a terminal. */
  readonly form: 'json' | 'text';
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Receives one line with its newline at a time. */
  readonly write: (line: string) => void;
}

/** Makes the process's log. Field names follow the Elastic Common Schema. */
export function createLog({ form, level, write }: LogOptions): Log {
  const destination: Pino.DestinationStream = {
    write: form === 'json' ? write : (line) => write(asText(line)),
  };
  // Loaded here, not above: threads know what a log is, but make none.
  const { pino }: typeof Pino = require('pino');
  return pino(
    {
      level,
      base: { 'service.name': 'holdfast' },
      messageKey: 'message',
      timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ 'log.level': label }) },
    },
    destination,
  );
}

const HIDDEN_FIELDS = new Set(['@timestamp', 'log.level', 'message', 'service.name']);

function asText(line: string): string {
  const fields = new Map(Object.entries(JSON.parse(line)));
  const time = String(fields.get('@timestamp')).slice(11, 19);
  const level = String(fields.get('log.level')).padEnd(5);
  const rest = [...fields]
    .filter(([name]) => !HIDDEN_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : inspect(value)}`);
  return `${printable([time, level, String(fields.get('message')), ...rest].join(' '))}\n`;
}

/** A peer chooses parts of what is logged: they must not move the cursor or forge a line. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}
