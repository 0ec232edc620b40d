/** Finds acts by words. Pure. @module */
import { actWords } from '@holdfast/protocol';
import type { ActView } from '@holdfast/protocol/api';
import { whoText } from './act-text.ts';

/** Whether an act has all these words, in ours or in those of the log. */
export function isFound(act: ActView, words: string): boolean {
  const { action, target = '', reason = '' } = act;
  const spaced = action.replaceAll(/[.-]/gu, ' ');
  const text = [whoText(act), actWords(action), action, spaced, target, reason].join(' ');
  return words
    .toLowerCase()
    .split(/\s+/u)
    .every((word) => text.toLowerCase().includes(word));
}
