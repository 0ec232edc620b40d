import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ApiError } from './api-error.ts';
import { EventParser } from './event-parser.ts';
import type { ServerSentEvent } from './event-parser.ts';
import { EVENT_CHARACTERS_MAX } from './limits.ts';

const STREAM =
  '\uFEFF: hello\r\n\r\nevent: reading\ndata: {"a":"größe 🌡"}\nid: 7\n\n' +
  'data:first\rdata:  second\r\rretry: 5\nevent: nothing\n\ndata\n\nid: 8\0\ndata: x\n\ndata: never';

const EVENTS: ServerSentEvent[] = [
  { type: 'reading', data: '{"a":"größe 🌡"}', id: '7' },
  { type: 'message', data: 'first\n second', id: '7' },
  { type: 'message', data: '', id: '7' },
  { type: 'message', data: 'x', id: '7' },
];

describe('EventParser', () => {
  it('reads the same events wherever the bytes are split', () => {
    const bytes = Buffer.from(STREAM, 'utf8');
    for (let at = 0; at <= bytes.length; at += 1) {
      const parser = new EventParser();
      const events = [...parser.push(bytes.subarray(0, at)), ...parser.push(bytes.subarray(at))];
      assert.deepEqual(events, EVENTS, `split at ${at}`);
    }
  });

  it('reads the same events byte by byte', () => {
    const parser = new EventParser();
    const events = [...Buffer.from(STREAM, 'utf8')].flatMap((b) => parser.push(Buffer.of(b)));
    assert.deepEqual(events, EVENTS);
  });

  it('reads back what a server writes, in pieces of any size', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/gu, ''));
    fc.assert(
      fc.property(fc.array(line), fc.integer({ min: 1, max: 9 }), (lines, size) => {
        const parser = new EventParser();
        const bytes = Buffer.from(lines.map((text) => `data: ${text}\n\n`).join(''), 'utf8');
        const read: string[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          read.push(...parser.push(bytes.subarray(at, at + size)).map(({ data }) => data));
        }
        assert.deepEqual(
          read,
          lines.map((text) => text.toWellFormed()),
        );
      }),
    );
  });

  it('refuses an event of empty lines without an end', () => {
    const parser = new EventParser();
    const lines = Buffer.from('data\n'.repeat(100_000));
    const rounds = Math.ceil(EVENT_CHARACTERS_MAX / 100_000) + 1;
    assert.throws(
      () => {
        for (let round = 0; round < rounds; round += 1) parser.push(lines);
      },
      (error) => error instanceof ApiError && error.code === 'E_CLIENT_RESPONSE',
    );
  });

  it('takes an event of the limit, and refuses a longer one', () => {
    const filler = Buffer.alloc(EVENT_CHARACTERS_MAX - 'data:'.length, 'x');
    const parser = new EventParser();
    parser.push(Buffer.from('data:'));
    parser.push(filler);
    assert.throws(
      () => parser.push(Buffer.from('x')),
      (error) => error instanceof ApiError && error.code === 'E_CLIENT_RESPONSE',
    );
  });
});
