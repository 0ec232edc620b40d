/** A file of expected decisions, read. @module */
import { usageFailure } from './failure.ts';

/** One line of the file. */
export interface Expectation {
  /** Counted from 1. */
  readonly line: number;
  readonly decision: 'permit' | 'refuse';
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly steppedUp: boolean;
  readonly secondPerson: boolean;
}

const CIRCUMSTANCES = new Set(['step-up', 'second-person']);

/** Reads expected decisions. @throws Failure `E_CLI_USAGE` with the line of the first mistake. */
export function parseExpectations(text: string, path: string): Expectation[] {
  return text.split(/\r?\n/u).flatMap((content, at) => {
    const line = at + 1;
    const words = content
      .replace(/(?:^|\s)#.*$/u, '')
      .split(/\s+/u)
      .filter(Boolean);
    if (words.length === 0) return [];
    const expectation = parseLine(words, line);
    if (expectation !== undefined) return [expectation];
    throw usageFailure(
      `${path} has a mistake in line ${line}: ${content.trim()}`,
      'Write: permit|refuse <who> <action> <what> [with step-up] [with second-person]',
    );
  });
}

function parseLine(words: readonly string[], line: number): Expectation | undefined {
  const [decision, principal, action, resource, ...rest] = words;
  if (decision !== 'permit' && decision !== 'refuse') return undefined;
  if (principal === undefined || action === undefined || resource === undefined) return undefined;
  const given = new Set<string>();
  for (let at = 0; at < rest.length; at += 2) {
    const circumstance = rest[at + 1] ?? '';
    if (rest[at] !== 'with' || !CIRCUMSTANCES.has(circumstance)) return undefined;
    given.add(circumstance);
  }
  return {
    line,
    decision,
    principal,
    action,
    resource,
    steppedUp: given.has('step-up'),
    secondPerson: given.has('second-person'),
  };
}
