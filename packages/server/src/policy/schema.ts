/** The strict schema of the policy: what there is, and what can be asked of it. @module */
import { createHash } from 'node:crypto';
import { BOOT_PROOFS, DEVICE_CLASS_NAMES, DEVICE_STATES, ROLE_NAMES } from '../registry/index.ts';
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
entity Boot enum [${names(BOOT_PROOFS)}];
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
  boot?: Boot,
};
entity Topic in [Device, Tenant] { part: Part, device?: Device };

type Circumstances = { steppedUp: Bool, secondPerson: Bool };
${[...ACTION_GROUPS, 'self'].map((group) => `action ${JSON.stringify(group)};`).join('\n')}
${actionTexts().join('\n')}
action "publish", "subscribe" appliesTo {
  principal: [Device], resource: [Topic], context: Circumstances
};
`;

/** SHA-256 of the schema: a policy that was checked against another one is checked again. */
export const SCHEMA_SHA256: string = createHash('sha256').update(SCHEMA_TEXT, 'utf8').digest('hex');

/** Those of one kind together: Cedar reads the text at each start, and takes its time for it. */
function actionTexts(): string[] {
  const alike = Map.groupBy(ACTION_NAMES, (action) => {
    const { on, groups } = actionDeclaration(action);
    const parents = [...groups, ...(on === 'self' ? ['self'] : [])];
    const membership = parents.length === 0 ? '' : ` in [${names(parents)}]`;
    return `${membership} appliesTo {
  principal: [Person, App], resource: [${TARGETS[on]}], context: Circumstances
};`;
  });
  return [...alike].map(([rest, actions]) => {
    const lines = actions.map((action) => `  ${JSON.stringify(action)}`);
    return `action\n${lines.join(',\n')}\n ${rest}`;
  });
}
