/** Prints numbers as Python does, so that a Python receiver computes the same signature. @module */

/**
 * JSON text of a finite number that `json.dumps(json.loads(text))` gives back unchanged.
 *
 * JavaScript and Python both print the shortest digits that give the same double. They differ below
 * 1e-4, where Python uses an exponent of at least two digits; and integral values are integers to
 * Python up to 1e21, beyond which both use an exponent.
 */
export function pythonNumber(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  if (value === 0 || Math.abs(value) >= 1e-4) return String(value);
  return value.toExponential().replace(/e-([0-9])$/u, 'e-0$1');
}
