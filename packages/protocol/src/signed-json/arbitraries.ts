/** Random objects for the tests of signed JSON. @module */
import * as fc from 'fast-check';

/** Any UTF-16 text, lone surrogates included; often of characters that Python escapes. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ maxLength: 8 }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x22, 0x2f, 0x5c, 0x7e, 0x7f, 0x80),
        fc.constantFrom(0x2028, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff),
        fc.integer({ min: 0, max: 0xffff }),
      ),
      { maxLength: 8 },
    )
    .map((units) => String.fromCharCode(...units)),
);

/** Any number that JSON can carry; often one where Python and JavaScript print differently. */
const anyNumber: fc.Arbitrary<number | bigint> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -1e-3, max: 1e-3 }),
  fc.double({ noNaN: true, min: 1e14, max: 1e23 }),
  fc.integer(),
  fc.constantFrom(0, -0, 1e-4, 9.9e-5, 1e-5, 1e-6, 1e-7, 5e-324, 1e15, 1e16, 1e21, 1e22, 2 ** 53),
  fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
);

/** Any plain data that can be signed. */
const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    anyNumber,
    anyText,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 8 }),
  ),
})).value;

/** Objects that a device may sign: with a counter, without "sig" and "ts". */
export const signableObject: fc.Arbitrary<Record<string, unknown>> = fc
  .record({
    members: fc.dictionary(anyText, anyValue, { maxKeys: 12 }),
    ctr: fc.maxSafeNat(),
  })
  .map(({ members, ctr }) => {
    const others = Object.entries(members).filter(([key]) => key !== 'sig' && key !== 'ts');
    return Object.fromEntries([...others, ['ctr', ctr]]);
  });
