/** Whether color is wanted: the option that every command takes, and the environment. @module */

const OPTION = '--no-color';

/** Takes `--no-color` out of a command line, wherever it stands before `--`. */
export function readColor(
  given: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { readonly args: readonly string[]; readonly isPlain: boolean } {
  const end = given.indexOf('--');
  const isOption = (arg: string, at: number): boolean => arg === OPTION && (end === -1 || at < end);
  const args = given.filter((arg, at) => !isOption(arg, at));
  const isPlain = args.length < given.length || (env['NO_COLOR'] ?? '') !== '';
  return { args, isPlain };
}
