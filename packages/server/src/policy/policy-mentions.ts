/** What the rules of a policy look at: the names and attributes that stand in them. @module */
import type { NamedType } from './canonical.ts';
import type { PolicyRule } from './policy-text.ts';

/** The names and attributes in some rules. */
export class PolicyMentions {
  readonly #names = new Set<string>();
  readonly #attributes = new Set<string>();

  constructor(rules: readonly PolicyRule[]) {
    for (const { json } of rules) this.#look(json);
  }

  /** Whether a rule names this entity, so that it may be decided otherwise than others of its kind. */
  readonly mentions = (type: NamedType, id: string): boolean =>
    this.#names.has(entityKey(type, id));

  /** The names of a kind that rules mention. */
  mentioned(type: NamedType | 'DeviceClass'): string[] {
    const prefix = entityKey(type, '');
    const keys = [...this.#names].filter((key) => key.startsWith(prefix));
    return keys.map((key) => key.slice(prefix.length));
  }

  /** Whether a rule looks at this attribute of anything. */
  looksAt(attribute: string): boolean {
    return this.#attributes.has(attribute);
  }

  /** Finds the names and attributes in a rule, wherever they stand. */
  #look(value: unknown): void {
    if (Array.isArray(value)) return value.forEach((each) => this.#look(each));
    if (typeof value !== 'object' || value === null) return undefined;
    const { type, id, attr } = value as Readonly<Record<string, unknown>>;
    if (typeof type === 'string' && typeof id === 'string') {
      this.#names.add(entityKey(type, id));
      // A topic has the name of its device in its own.
      const device = type === 'Topic' ? id.slice(0, Math.max(0, id.lastIndexOf('/'))) : '';
      if (device !== '') this.#names.add(entityKey('Device', device));
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
