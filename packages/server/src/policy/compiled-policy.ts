/** A policy that is ready to decide, and what it looks at. @module */
import {
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs';
import { Fault } from '../kernel/index.ts';
import { type CanonicalRequest, type NamedType, canonicalize } from './canonical.ts';
import { entitiesOf, principalThing, resourceThing } from './entities.ts';
import { type PolicyRule, rulesOfText } from './policy-text.ts';
import { SCHEMA_TEXT } from './schema.ts';
import { type Decision, type DecisionRequest, PLAIN_CONTEXT } from './subjects.ts';

const SCHEMA_NAME = 'holdfast';
let isSchemaParsed = false;
/** Cedar keeps parsed policies by name: the names of those that are not needed any more. */
const freeSlots: string[] = [];
let slotCount = 0;

/** A policy that was checked. Its text is parsed once, and {@link close} forgets it. */
export class CompiledPolicy {
  readonly rules: readonly PolicyRule[];
  readonly #slot: string;
  readonly #mentioned = new Set<string>();
  readonly #attributes = new Set<string>();

  /** @throws Fault `E_POLICY_UNREADABLE` when it was not checked. */
  constructor(text: string) {
    parseSchema();
    this.#slot = freeSlots.pop() ?? `policy-${slotCount++}`;
    this.rules = rulesOfText(text);
    const named = this.rules.map((rule) => [rule.name, rule.text]);
    const answer = preparsePolicySet(this.#slot, { staticPolicies: Object.fromEntries(named) });
    if (answer.type === 'failure') throw unreadable(answer.errors[0]?.message);
    for (const { json } of this.rules) this.#look(json);
  }

  /** Whether a rule names this entity, so that it may be decided otherwise than others of its kind. */
  readonly mentions = (type: NamedType, id: string): boolean =>
    this.#mentioned.has(entityKey(type, id));

  /** The names of a kind that rules mention. */
  mentioned(type: NamedType | 'DeviceClass'): string[] {
    const prefix = entityKey(type, '');
    const keys = [...this.#mentioned].filter((key) => key.startsWith(prefix));
    return keys.map((key) => key.slice(prefix.length));
  }

  /** Whether a rule looks at this attribute of anything. */
  looksAt(attribute: string): boolean {
    return this.#attributes.has(attribute);
  }

  canonicalize(request: DecisionRequest): CanonicalRequest {
    return canonicalize(request, this.mentions);
  }

  /**
   * Decides; some 0.2 ms. A rule that fails while it is looked at permits nothing, and when it
   * forbids, the whole answer is no.
   */
  decide({ principal, action, resource, context = PLAIN_CONTEXT }: DecisionRequest): Decision {
    const [who, what] = [principalThing(principal), resourceThing(resource)];
    const answer = statefulIsAuthorized({
      principal: who.uid,
      action: { type: 'Action', id: action },
      resource: what.uid,
      context: { ...context },
      preparsedSchemaName: SCHEMA_NAME,
      validateRequest: true,
      preparsedPolicySetId: this.#slot,
      entities: entitiesOf(who, what),
    });
    // Such as an action that is not for this kind of thing.
    if (answer.type === 'failure') return { isPermitted: false, rules: [] };
    const { decision, diagnostics } = answer.response;
    const isPermitted = decision === 'allow' && diagnostics.errors.length === 0;
    return { isPermitted, rules: diagnostics.reason };
  }

  /** Forgets what was parsed; it must not decide any more. */
  close(): void {
    preparsePolicySet(this.#slot, { staticPolicies: '' });
    freeSlots.push(this.#slot);
  }

  /** Finds the names and attributes in a rule, wherever they stand. */
  #look(value: unknown): void {
    if (Array.isArray(value)) return value.forEach((each) => this.#look(each));
    if (typeof value !== 'object' || value === null) return undefined;
    const { type, id, attr } = value as Readonly<Record<string, unknown>>;
    if (typeof type === 'string' && typeof id === 'string') {
      this.#mentioned.add(entityKey(type, id));
      // A topic has the name of its device in its own.
      const device = type === 'Topic' ? id.slice(0, Math.max(0, id.lastIndexOf('/'))) : '';
      if (device !== '') this.#mentioned.add(entityKey('Device', device));
    }
    for (const name of [attr].flat()) {
      if (typeof name === 'string') this.#attributes.add(name);
    }
    return Object.values(value).forEach((each) => this.#look(each));
  }
}

function entityKey(type: string, id: string): string {
  return `${type}::${id}`;
}

function parseSchema(): void {
  if (isSchemaParsed) return;
  const answer = preparseSchema(SCHEMA_NAME, SCHEMA_TEXT);
  if (answer.type === 'failure') throw unreadable(answer.errors[0]?.message);
  isSchemaParsed = true;
}

function unreadable(why = 'it cannot be parsed'): Fault {
  return new Fault({
    code: 'E_POLICY_UNREADABLE',
    what: `The policy cannot be read: ${why}.`,
    fix: 'Report this: a policy is checked before it is kept.',
  });
}
