/** What was refused of a device, in words that an owner understands. Pure. @module */
import type { OwnedRefusalList } from '@holdfast/protocol/api';
import { spanText } from '../../parts/time-text.ts';
import type { Tone } from '../../parts/tone.ts';

type Refused = OwnedRefusalList['refusals'][number];

/** What happened, what it could mean, and what to do. */
export interface RefusalWords {
  readonly what: string;
  readonly couldMean: string;
  readonly toDo: string;
  readonly tone: Tone;
}

type KindWords = Omit<RefusalWords, 'what'> & {
  /** Behind the number: "message", "messages". */
  readonly one: string;
  readonly many: string;
};

const WORDS: Readonly<Record<Refused['kind'], KindWords>> = {
  altered: {
    one: 'message did not bear the signature of the device',
    many: 'messages did not bear the signature of the device',
    couldMean:
      'Somebody may have changed them on their way, or the device was set up with the wrong key. None of them was believed or kept.',
    toDo: 'Tell the operator of the server, unless somebody is setting the device up just now.',
    tone: 'bad',
  },
  repeated: {
    one: 'message came a second time',
    many: 'messages came a second time',
    couldMean:
      'After a bad connection a device sends again what it is unsure of, which is harmless. It could also be somebody who recorded messages and plays them back. Each message counts once.',
    toDo: 'If it goes on while the connection is good, tell the operator.',
    tone: 'warn',
  },
  'wrong-time': {
    one: 'message had a wrong time',
    many: 'messages had a wrong time',
    couldMean:
      'The clock of the device may be wrong, or it was without network for longer than it may keep messages. Somebody could also have held them back.',
    toDo: 'Set its clock, or switch it off and on. If it goes on, tell the operator.',
    tone: 'warn',
  },
  'not-permitted': {
    one: 'attempt to do what this device may not do',
    many: 'attempts to do what this device may not do',
    couldMean:
      'A wrong setting; or a device that somebody has taken over, and that tries to reach others. It reached none.',
    toDo: 'Tell the operator. If you do not trust the device, switch it off until they have looked.',
    tone: 'bad',
  },
  'old-keys': {
    one: 'attempt to connect with keys that do not count any more',
    many: 'attempts to connect with keys that do not count any more',
    couldMean: 'The device was set back to an older state; or somebody has a copy of its keys.',
    toDo: 'Tell the operator soon: they can see which of the two it is.',
    tone: 'bad',
  },
  'kept-out': {
    one: 'attempt to connect while it is kept out',
    many: 'attempts to connect while it is kept out',
    couldMean: 'The operator has stopped the device, and it tries to come back, as it should.',
    toDo: 'Ask the operator when it goes on.',
    tone: 'calm',
  },
  server: {
    one: 'message or request for which the server had no room',
    many: 'messages or requests for which the server had no room',
    couldMean: 'Neither you nor the device did anything wrong. A device that can tries again.',
    toDo: 'If it goes on for long, tell the operator.',
    tone: 'calm',
  },
  other: {
    one: 'message or request that the server could not take',
    many: 'messages or requests that the server could not take',
    couldMean:
      'Too many, too large, or not in the form that the server knows: often a faulty program.',
    toDo: 'Switch the device off and on. If it goes on, tell the operator.',
    tone: 'warn',
  },
};

/** The words for the refusals of one kind. */
export function refusalWords({ kind, count }: Pick<Refused, 'kind' | 'count'>): RefusalWords {
  const { one, many, ...words } = WORDS[kind];
  return { ...words, what: `${count.toLocaleString('en')} ${count === 1 ? one : many}` };
}

/** The worst first; among equals the newest, as the server gives them. */
const ORDER: readonly Tone[] = ['bad', 'warn', 'info', 'calm', 'good'];

/** Refusals with their words, in the order in which an owner should read them. */
export function inWords(refusals: readonly Refused[]): (Refused & RefusalWords)[] {
  return refusals
    .map((one) => ({ ...one, ...refusalWords(one) }))
    .toSorted((a, b) => ORDER.indexOf(a.tone) - ORDER.indexOf(b.tone));
}

/** A day, but for what the clocks of the server and of the phone may be apart. */
const NEARLY_A_DAY_MS = 82_800_000;

/** That nothing was refused, and in which time. */
export function nothingRefusedText(
  { since }: Pick<OwnedRefusalList, 'since'>,
  { pairedAt, nowMs }: { readonly pairedAt: string; readonly nowMs: number },
): string {
  if (since === pairedAt) return 'Nothing of it was refused since you have it.';
  const ageMs = nowMs - Date.parse(since);
  const span = ageMs >= NEARLY_A_DAY_MS ? 'day' : spanText(Math.max(0, ageMs));
  return `Nothing of it was refused in the last ${span}.`;
}
