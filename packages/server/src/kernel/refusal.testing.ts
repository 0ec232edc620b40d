/** Refusals in tests. @module */
import { Refusal } from '@holdfast/protocol';

/** The value, when it is no refusal. */
export function present<T>(value: T | Refusal): T {
  if (value instanceof Refusal) throw new Error(`${value.code}: ${value.detail}`);
  return value;
}

/** The code of a refusal; anything else fails the test. */
export function codeOf(value: unknown): string {
  if (value instanceof Refusal) return value.code;
  throw new Error('no refusal');
}
