/** The fields of a command as they are typed. @module */

/** A field: its name, and its value as text. */
export interface CommandField {
  readonly key: number;
  readonly name: string;
  readonly value: string;
}

/** Members that the server adds. */
const OF_SERVER: ReadonlySet<string> = new Set(['cmd', 'ctr', 'ts', 'sig']);
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;

/**
 * The command that is meant. Numbers, `true`, `false`, lists and objects are taken as such, and all
 * else as text; quotes make a text of a number.
 * @returns what is wrong, as a sentence, or the command.
 */
export function commandOf(
  name: string,
  fields: readonly CommandField[],
): { readonly name: string; readonly body: Readonly<Record<string, unknown>> } | string {
  if (!NAME.test(name)) return 'Type the name of the command, such as start: letters and digits.';
  const filled = fields.filter((field) => field.name !== '' || field.value !== '');
  const names = filled.map((field) => field.name);
  if (names.includes('')) return 'Each value needs a name.';
  if (new Set(names).size < names.length) return 'Two values have the same name.';
  const own = names.find((one) => OF_SERVER.has(one));
  if (own !== undefined) return `The server itself adds “${own}”: choose another name.`;
  return { name, body: Object.fromEntries(filled.map((field) => [field.name, valueOf(field)])) };
}

function valueOf({ value }: CommandField): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
