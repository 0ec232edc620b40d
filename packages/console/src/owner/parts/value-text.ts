/** Values of devices in words. @module */

const NUMBER = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 5 });

/** A value of a series; truth values are 1 and 0. */
export function valueText(value: number, kind: 'number' | 'boolean'): string {
  if (kind === 'boolean') return value >= 0.5 ? 'on' : 'off';
  return NUMBER.format(value);
}

/** Members that every message has, and that say nothing of the device. */
const OF_MESSAGE: ReadonlySet<string> = new Set(['ctr', 'ts', 'sig', 'cmd', 'of']);

/** What stands in a signed message, as text for each member. */
export function membersOf(payload: string): readonly (readonly [string, string])[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch {
    return [];
  }
  return Object.entries(parsed ?? {})
    .filter(([name]) => !OF_MESSAGE.has(name))
    .flatMap(([name, value]) => flattened(name, value));
}

/** What stands in an object, each with the way to it: `pump.speed`. */
function flattened(name: string, value: unknown): (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) => flattened(`${name}.${key}`, inner));
}

/** The same in one line: "speed 2, now true". */
export function contentText(payload: string): string {
  return membersOf(payload)
    .map(([name, text]) => `${name} ${text}`)
    .join(', ');
}
