/** Reads JSON by the engine, for the tests of signed JSON to compare with. @module */

/**
 * What a text that `JSON.parse` accepts means, each number in the form in which it is written.
 *
 * Each string is read by itself, and stands in hexadecimal for the reading of the whole: V8 takes
 * a key with an escape for another one that begins alike. After `{"a":1,"\\":1}` it reads
 * `{"a":1,"\n":1}` as the same. https://github.com/nodejs/node/issues/63785
 */
export function meaningOf(text: string): unknown {
  const plain = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?[0-9][-+.0-9eE]*/g, (token) =>
    token.startsWith('"') ? `"text ${hexOf(JSON.parse(token))}"` : `"number ${token}"`,
  );
  return JSON.parse(plain);
}

function hexOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('hex');
}
