/** The text of a policy: read, checked against the schema, and taken apart into its rules. @module */
import {
  type DetailedError,
  type PolicyJson,
  policySetTextToParts,
  policyToJson,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import {
  POLICY_CHARACTERS_MAX,
  POLICY_RULES_MAX,
  POSSIBLE_DEVICES_MAX,
  PROBLEMS_MAX,
} from './limits.ts';
import { PolicyMentions } from './policy-mentions.ts';
import { countPossibleDevices } from './possible-devices.ts';
import { SCHEMA_TEXT } from './schema.ts';

/** What is wrong with a policy, and where. */
export interface PolicyProblem {
  /** Counted from 1; 0 when it is the text as a whole. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** One rule of a policy. */
export interface PolicyRule {
  /** Its `@id`, or `line <n>` when it has none or another one has the same. */
  readonly name: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly json: PolicyJson;
}

/** The problems of a text; none: it may be set. */
export function checkPolicyText(text: string): PolicyProblem[] {
  if (text.length > POLICY_CHARACTERS_MAX) {
    return [
      { line: 0, column: 0, message: `It has more than ${POLICY_CHARACTERS_MAX} characters.` },
    ];
  }
  const answer = validate({ schema: SCHEMA_TEXT, policies: { staticPolicies: text } });
  const errors =
    answer.type === 'failure' ? answer.errors : answer.validationErrors.map(({ error }) => error);
  const problems = errors.slice(0, PROBLEMS_MAX).map((error) => problemOf(error, text));
  if (problems.length > 0) return problems.sort((a, b) => a.line - b.line);
  return checkRules(text);
}

/** The rules of a text that can be parsed, in its order. @throws when it cannot. */
export function rulesOfText(text: string): PolicyRule[] {
  const answer = policySetTextToParts(text);
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message ?? 'it is no policy');
  const names = new Set<string>();
  return located(answer.policies, text).map(({ text: part, line }) => {
    const json = jsonOf(part);
    const id = json.annotations?.['id'] ?? '';
    const name = id === '' || names.has(id) ? `line ${line}` : id;
    names.add(name);
    return { name, line, text: part, json };
  });
}

/** Where each rule stands; the longest first, as one may be the end of another. */
function located(parts: readonly string[], text: string): { text: string; line: number }[] {
  const taken: { start: number; end: number }[] = [];
  const longestFirst = [...parts].sort((a, b) => b.length - a.length);
  const found = longestFirst.map((part) => {
    let start = text.indexOf(part);
    const overlaps = (): boolean =>
      taken.some((other) => start < other.end && other.start < start + part.length);
    while (start !== -1 && overlaps()) start = text.indexOf(part, start + 1);
    taken.push({ start, end: start + part.length });
    return { text: part, start, line: placeOf(text, start).line };
  });
  return found.sort((a, b) => a.start - b.start);
}

function checkRules(text: string): PolicyProblem[] {
  const answer = policySetTextToParts(text);
  const whole = (message: string): PolicyProblem[] => [{ line: 0, column: 0, message }];
  if (answer.type === 'failure') return answer.errors.map((error) => problemOf(error, text));
  if (answer.policy_templates.length > 0) return whole('It has a template (?principal).');
  const count = answer.policies.length;
  if (count > POLICY_RULES_MAX) return whole(`It has ${count} rules, of ${POLICY_RULES_MAX}.`);
  const kinds = countPossibleDevices(new PolicyMentions(rulesOfText(text)));
  if (kinds <= POSSIBLE_DEVICES_MAX) return [];
  return whole(
    `It tells ${kinds} kinds of devices apart, of ${POSSIBLE_DEVICES_MAX}, as the product of the ` +
      'devices, groups, owners, classes and states in its rules: name fewer, and groups for devices.',
  );
}

function jsonOf(rule: string): PolicyJson {
  const answer = policyToJson(rule);
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message ?? 'it is no rule');
  return answer.json;
}

/** Cedar says where as bytes of UTF-8. */
function problemOf(
  { message, help, sourceLocations = [] }: DetailedError,
  text: string,
): PolicyProblem {
  const [source] = sourceLocations;
  const label = source?.label ?? undefined;
  const said = message
    .replace(/^failed to parse policies from string: /, '')
    .replace(/^for policy `[^`]*`(?: at [^:]*)?[:,] /, '');
  const more = [label, help ?? undefined].filter((part) => part !== undefined);
  const full = [said, ...more].join('; ');
  if (source === undefined) return { line: 0, column: 0, message: full };
  const before = Buffer.from(text, 'utf8').subarray(0, source.start).toString('utf8');
  return { ...placeOf(text, before.length), message: full };
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
