/** Reads a SUIT command sequence. @see draft-ietf-suit-manifest §8.4.6 to §8.4.10 @module */
import { type Cbor, CborMap, CborTag } from './cbor.ts';
import { FLOW_COMMANDS, PARAMETER, POLICY_COMMANDS, REPORT, SHA_256, TAG } from './codes.ts';
import { decodeCbor } from './decode-cbor.ts';
import { SUIT_SEQUENCE_DEPTH_MAX } from './limits.ts';

/** One command, with its argument. */
export type SuitCommand =
  /** A condition, or a directive that takes its parameters from the component. */
  | { readonly kind: 'do'; readonly code: number; readonly reports: number }
  /** Which components are meant from here on: one, some, or all. */
  | { readonly kind: 'component'; readonly index: number | true | readonly number[] }
  | { readonly kind: 'override'; readonly parameters: ReadonlyMap<number, Cbor> }
  /** The first of the sequences that does not fail; with `mayFail`, none has to succeed. */
  | {
      readonly kind: 'try';
      readonly sequences: readonly (readonly SuitCommand[])[];
      readonly mayFail: boolean;
    }
  | { readonly kind: 'run'; readonly sequence: readonly SuitCommand[] }
  /** Of the maker's own; its number is negative. */
  | { readonly kind: 'custom'; readonly code: number; readonly argument: Cbor };

interface Place {
  /** The shared sequence changes nothing on the device. */
  readonly isShared: boolean;
  readonly depth: number;
}

/** @returns undefined when it is none, or has commands that the standard does not allow there */
export function readSequence(
  bytes: Uint8Array,
  { isShared }: { readonly isShared: boolean },
): SuitCommand[] | undefined {
  return read(bytes, { isShared, depth: 0 });
}

function read(bytes: Cbor, place: Place): SuitCommand[] | undefined {
  if (!(bytes instanceof Uint8Array) || place.depth > SUIT_SEQUENCE_DEPTH_MAX) return undefined;
  const items = decodeCbor(bytes);
  if (!Array.isArray(items) || items.length === 0 || items.length % 2 !== 0) return undefined;
  const commands: SuitCommand[] = [];
  for (let at = 0; at < items.length; at += 2) {
    const command = readCommand(items[at], items[at + 1], place);
    if (command === undefined) return undefined;
    commands.push(command);
  }
  return commands;
}

function readCommand(code: Cbor, argument: Cbor, place: Place): SuitCommand | undefined {
  if (typeof code !== 'number') return undefined;
  if (code === FLOW_COMMANDS.setComponentIndex) return readIndex(argument);
  if (code === FLOW_COMMANDS.overrideParameters) return readOverride(argument);
  const inner = { ...place, depth: place.depth + 1 };
  if (code === FLOW_COMMANDS.tryEach) return readTry(argument, inner);
  if (code === FLOW_COMMANDS.runSequence) {
    const sequence = read(argument, inner);
    return sequence === undefined ? undefined : { kind: 'run', sequence };
  }
  if (code < 0) {
    return place.isShared || !isScalar(argument) ? undefined : { kind: 'custom', code, argument };
  }
  const isPolicy = typeof argument === 'number' && argument >= 0 && argument <= REPORT.all;
  if (!isPolicy || !(place.isShared ? CONDITIONS : ALL).has(code)) return undefined;
  return { kind: 'do', code, reports: argument };
}

function readIndex(argument: Cbor): SuitCommand | undefined {
  if (argument === true || isIndex(argument)) return { kind: 'component', index: argument };
  if (!Array.isArray(argument) || argument.length === 0) return undefined;
  const items: readonly Cbor[] = argument;
  const index = items.filter(isIndex);
  return index.length === items.length ? { kind: 'component', index } : undefined;
}

function readOverride(argument: Cbor): SuitCommand | undefined {
  if (!(argument instanceof CborMap) || argument.entries.length === 0) return undefined;
  const parameters = new Map<number, Cbor>();
  for (const [key, value] of argument.entries) {
    if (typeof key !== 'number' || !isParameter(key, value)) return undefined;
    parameters.set(key, value);
  }
  return { kind: 'override', parameters };
}

function readTry(argument: Cbor, place: Place): SuitCommand | undefined {
  if (!Array.isArray(argument)) return undefined;
  const items: readonly Cbor[] = argument;
  const mayFail = items.at(-1) === null;
  const sequences = (mayFail ? items.slice(0, -1) : items).map((item) => read(item, place));
  const whole = sequences.filter((sequence) => sequence !== undefined);
  if (whole.length !== sequences.length || whole.length < 2) return undefined;
  return { kind: 'try', sequences: whole, mayFail };
}

function isParameter(key: number, value: Cbor): boolean {
  if (key < 0) return isScalar(value) && value !== null;
  const isFit = PARAMETERS[key];
  return isFit?.(value) === true;
}

const isBytes = (value: Cbor): boolean => value instanceof Uint8Array;
const isUuid = (value: Cbor): boolean => value instanceof Uint8Array && value.length === 16;
const isPen = (value: Cbor): boolean =>
  value instanceof CborTag && value.tag === TAG.pen && isBytes(value.item);
const isIndex = (value: Cbor): value is number => typeof value === 'number' && value >= 0;
const isBoolean = (value: Cbor): boolean => typeof value === 'boolean';
const isScalar = (value: Cbor): boolean =>
  value === null || isBytes(value) || ['number', 'string', 'boolean'].includes(typeof value);

function isDigest(value: Cbor): boolean {
  const digest = value instanceof Uint8Array ? decodeCbor(value) : undefined;
  if (!Array.isArray(digest) || digest.length !== 2 || digest[0] !== SHA_256) return false;
  const bytes: unknown = digest[1];
  return bytes instanceof Uint8Array && bytes.length === 32;
}

const PARAMETERS: Readonly<Record<number, (value: Cbor) => boolean>> = {
  [PARAMETER.vendorIdentifier]: (value) => isUuid(value) || isPen(value),
  [PARAMETER.classIdentifier]: isUuid,
  [PARAMETER.deviceIdentifier]: isUuid,
  [PARAMETER.imageDigest]: isDigest,
  [PARAMETER.componentSlot]: isIndex,
  [PARAMETER.strictOrder]: isBoolean,
  [PARAMETER.softFailure]: isBoolean,
  [PARAMETER.imageSize]: isIndex,
  [PARAMETER.content]: isBytes,
  [PARAMETER.uri]: (value) => typeof value === 'string',
  [PARAMETER.sourceComponent]: isIndex,
  [PARAMETER.invokeArgs]: isBytes,
  [PARAMETER.fetchArguments]: isBytes,
};

const { write, fetch, copy, invoke, swap, ...conditions } = POLICY_COMMANDS;
const CONDITIONS: ReadonlySet<number> = new Set(Object.values(conditions));
const ALL: ReadonlySet<number> = new Set([...CONDITIONS, write, fetch, copy, invoke, swap]);
