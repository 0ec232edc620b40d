/** The fields that the schemas of the API have in common. @module */
import { z } from 'zod';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const NAME_RULE = '1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit';
// oxlint-disable-next-line no-control-regex -- control characters are what must not be here
const PLAIN_TEXT = /^[^\u0000-\u001F\u007F-\u009F\u2028\u2029]*$/;

/** Shortest and longest password, in UTF-16 units. There are no rules of composition (NIST SP 800-63B). */
export const PASSWORD_LENGTH = { min: 12, max: 128 } as const;

/** Name of a device, a person or another thing. */
export const name: z.ZodString = z.string().max(64).regex(NAME, `must be ${NAME_RULE}`);

/** A time in a response: ISO 8601 in UTC. */
export const time: z.ZodISODateTime = z.iso.datetime().max(32);

/** Text of a person on one line: a control character could forge a line on a terminal. */
export const line = (lengthMax: number): z.ZodString =>
  z.string().min(1).max(lengthMax).regex(PLAIN_TEXT, 'must not contain control characters');

/** Text in a response: bounded, otherwise free. */
export const text = (lengthMax: number): z.ZodString => z.string().max(lengthMax);
