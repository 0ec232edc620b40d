/** The body of a command as somebody types it. Pure. @module */

/** What was read: the body, or what is wrong with it, in plain words. */
export type ReadBody =
  | { readonly body: Readonly<Record<string, unknown>>; readonly problem?: undefined }
  | { readonly body?: undefined; readonly problem: string };

/** Members that the server adds itself. */
const SERVER_MEMBERS = ['cmd', 'ctr', 'ts', 'sig'] as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;

/** Reads the JSON. Nothing typed is an empty body. */
export function readBody(text: string): ReadBody {
  if (text.trim() === '') return { body: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `That is no JSON yet: ${whatOf(error)}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: 'It has to be an object, such as {"target": 21.5}.' };
  }
  const body: Readonly<Record<string, unknown>> = { ...value };
  const taken = SERVER_MEMBERS.find((member) => Object.hasOwn(body, member));
  if (taken !== undefined) return { problem: `"${taken}" is added by the server; leave it out.` };
  return { body };
}

/** What is wrong with the name of a command; undefined when nothing is. */
export function nameProblem(name: string): string | undefined {
  if (NAME.test(name)) return undefined;
  return 'Letters, digits and . _ - only, up to 64, the first a letter or digit.';
}

/** What the parser says, without the text that it quotes. */
function whatOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${message.replace(/,? ?"[^]*" is not valid JSON$/u, '').replace(/ \(line .*\)$/u, '')}.`;
}
