/** The strict schema of the policy: what there is, and what can be asked of it. @module */
import { createHash } from 'node:crypto';
import { DEVICE_CLASS_NAMES, DEVICE_STATES, ROLE_NAMES } from '../registry/index.ts';
import { ACTION_GROUPS, ACTION_NAMES, type ActionTarget, actionDeclaration } from './actions.ts';
import { TOPIC_PARTS } from './subjects.ts';

/** Entity types as which a thing of an action can come. */
const TARGETS: Readonly<Record<ActionTarget, string>> = {
  server: 'Server',
  device: 'Device',
  self: 'Person, App',
};

const names = (values: readonly string[]): string =>
  values.map((value) => JSON.stringify(value)).join(', ');

/** The schema in Cedar's own words. A role, a state or a class that does not exist is a mistake. */
export const SCHEMA_TEXT = `entity Tenant;
entity Role enum [${names(ROLE_NAMES)}];
entity DeviceClass enum [${names(DEVICE_CLASS_NAMES)}];
entity State enum [${names(DEVICE_STATES)}];
entity Part enum [${names(TOPIC_PARTS)}];
entity Group in [Tenant];
entity Owner in [Tenant];
entity Person in [Role, Tenant];
entity App in [Owner, Tenant] { owner: Owner };
entity Server in [Tenant];
entity Device in [DeviceClass, Group, Tenant] {
  class: DeviceClass,
  group: Group,
  state: State,
  owner?: Owner,
};
entity Topic in [Device, Tenant] { part: Part, device?: Device };

type Circumstances = { steppedUp: Bool, secondPerson: Bool };
${[...ACTION_GROUPS, 'self'].map((group) => `action ${JSON.stringify(group)};`).join('\n')}
${ACTION_NAMES.map(actionText).join('\n')}
action "publish", "subscribe" appliesTo {
  principal: [Device], resource: [Topic], context: Circumstances
};
`;

/** SHA-256 of the schema: a policy that was checked against another one is checked again. */
export const SCHEMA_SHA256: string = createHash('sha256').update(SCHEMA_TEXT, 'utf8').digest('hex');

function actionText(action: (typeof ACTION_NAMES)[number]): string {
  const { on, groups } = actionDeclaration(action);
  const parents = [...groups, ...(on === 'self' ? ['self'] : [])];
  const membership = parents.length === 0 ? '' : ` in [${names(parents)}]`;
  return `action ${JSON.stringify(action)}${membership} appliesTo {
  principal: [Person, App], resource: [${TARGETS[on]}], context: Circumstances
};`;
}
