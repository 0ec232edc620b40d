/** Every action of the API that a person or an app can be allowed, as data. @module */

/** What an action is done to; the policy decides it with the attributes of that thing. */
export type ActionTarget = 'server' | 'device' | 'self';

interface ActionDeclaration {
  /** `self` is the caller: what everybody may do with what is their own. */
  readonly on: ActionTarget;
  /** Action groups that policies can name: `action in Action::"reads"`. */
  readonly groups?: readonly ActionGroup[];
}

/**
 * Groups of actions. `reads` change nothing; `dangerous` ones ask for a second factor again, and
 * for a second person where the policy says so.
 */
export const ACTION_GROUPS = ['reads', 'dangerous'] as const;
/** Name of a group of actions. */
export type ActionGroup = (typeof ACTION_GROUPS)[number];

/**
 * The actions. A new one needs a line here and its permits in `default.cedar`; an administrator
 * may do all of them, and an auditor all of the group `reads`.
 */
export const ACTIONS = {
  'approval:decide': { on: 'self' },
  'approval:read': { on: 'self' },
  /** To get the evidence of a reading: who reads both the device and the log. */
  'audit:prove': { on: 'device', groups: ['reads'] },
  'audit:read': { on: 'server', groups: ['reads'] },
  /** To make backups, to a place of one's choice. */
  'backup:make': { on: 'server', groups: ['dangerous'] },
  /** To remove old backups, and to say when new ones are made. */
  'backup:manage': { on: 'server', groups: ['dangerous'] },
  'backup:read': { on: 'server', groups: ['reads'] },
  /** To accept what was found wrong with a bucket. */
  'bucket:accept': { on: 'server', groups: ['dangerous'] },
  /** To look at a bucket of one's choice, and to try it with an object. */
  'bucket:check': { on: 'server' },
  'bucket:read': { on: 'server', groups: ['reads'] },
  'ca:read': { on: 'server', groups: ['reads'] },
  'ca:root': { on: 'server', groups: ['dangerous'] },
  'ca:rotate': { on: 'server', groups: ['dangerous'] },
  'class:read': { on: 'server', groups: ['reads'] },
  'class:set': { on: 'server', groups: ['dangerous'] },
  /** To do something to many devices in one request; each device is decided for itself as well. */
  'device:act-many': { on: 'server', groups: ['dangerous'] },
  'device:api-key': { on: 'device' },
  'device:claim': { on: 'device' },
  'device:command': { on: 'device' },
  /** To agree to the update of a device that one has, or to put it off. */
  'device:consent': { on: 'device' },
  /** To erase what it has sent, for good, in backups too. */
  'device:erase': { on: 'device', groups: ['dangerous'] },
  /** To give a device away that one has. */
  'device:give-away': { on: 'device' },
  'device:group': { on: 'device' },
  /** To say which kind of hardware a device is: releases are for kinds. */
  'device:hardware': { on: 'device' },
  /** To make the code by which an owner's app is paired with it. */
  'device:pair': { on: 'device' },
  'device:quarantine': { on: 'device' },
  'device:read': { on: 'device', groups: ['reads'] },
  /** To let a device out of quarantine. */
  'device:release': { on: 'device', groups: ['dangerous'] },
  /** To end its owner's rights, and to erase what it has sent. */
  'device:reset': { on: 'device', groups: ['dangerous'] },
  'device:retire': { on: 'device', groups: ['dangerous'] },
  'device:revoke': { on: 'device' },
  /** To suspend and to resume. */
  'device:suspend': { on: 'device' },
  /** To say by which words people find it again; nothing else hangs on them. */
  'device:tag': { on: 'device' },
  /** To bind a TPM to it, whose quotes then prove how it booted, or to end that. */
  'device:tpm': { on: 'device', groups: ['dangerous'] },
  /** To say which of the signed releases it is to run. */
  'device:update': { on: 'device', groups: ['dangerous'] },
  'firmware:read': { on: 'server', groups: ['reads'] },
  /**
   * To bring artifacts, and what is to be signed of them: no device takes it before that. Also to
   * remove those that nothing needs.
   */
  'firmware:release': { on: 'server' },
  /** To hand over signing requests and signatures, which prove themselves. */
  'firmware:sign': { on: 'server' },
  /** To see how the keys of the data folder stand: numbers and ages. */
  'keys:read': { on: 'server', groups: ['reads'] },
  /** To make a new key-encryption key. */
  'keys:rotate': { on: 'server', groups: ['dangerous'] },
  /**
   * To read the tree of the log, salted hashes from which its length shows and nothing else, and to
   * hand over what a witness has cosigned, which proves itself.
   */
  'log:read': { on: 'server', groups: ['reads'] },
  'manufacturer:manage': { on: 'server', groups: ['dangerous'] },
  'manufacturer:read': { on: 'server', groups: ['reads'] },
  'metrics:read': { on: 'server', groups: ['reads'] },
  'oidc:manage': { on: 'server', groups: ['dangerous'] },
  'oidc:read': { on: 'server', groups: ['reads'] },
  'person:manage': { on: 'server', groups: ['dangerous'] },
  'person:read': { on: 'server', groups: ['reads'] },
  'policy:read': { on: 'server', groups: ['reads'] },
  'policy:set': { on: 'server', groups: ['dangerous'] },
  /** To plan, pause and abort rollouts: whoever sees that one goes wrong stops it at once. */
  'rollout:manage': { on: 'server' },
  /** To start rollouts and to let them go on, and so to decide what devices run. */
  'rollout:start': { on: 'server', groups: ['dangerous'] },
  'self:read': { on: 'self' },
  'self:secure': { on: 'self' },
  /** To let the server show its next key. */
  'server:rotate-key': { on: 'server', groups: ['dangerous'] },
  /** To see what was refused: whoever runs devices has to know why one is not heard. */
  'refusal:read': { on: 'server', groups: ['reads'] },
  'server:read': { on: 'server', groups: ['reads'] },
  'session:end': { on: 'server' },
  'session:read': { on: 'server', groups: ['reads'] },
  /** To end the API tokens of others. */
  'token:end': { on: 'server' },
  /** One's own API tokens. */
  'token:manage': { on: 'self' },
  /** To see the API tokens of others, though never their secrets. */
  'token:read': { on: 'server', groups: ['reads'] },
  'witness:manage': { on: 'server', groups: ['dangerous'] },
  'witness:read': { on: 'server', groups: ['reads'] },
} as const satisfies Readonly<Record<string, ActionDeclaration>>;

/** Name of an action of the API. */
export type ApiAction = keyof typeof ACTIONS;

/** The actions that are done to one kind of thing. */
export type ActionOn<T extends ActionTarget> = {
  [A in ApiAction]: (typeof ACTIONS)[A]['on'] extends T ? A : never;
}[ApiAction];

/** All actions, in the order of their names. */
export const ACTION_NAMES = Object.keys(ACTIONS).filter(isApiAction);

/** Whether a text is the name of an action of the API. */
export function isApiAction(text: string): text is ApiAction {
  return Object.hasOwn(ACTIONS, text);
}

/** The declaration of an action, with its groups. */
export function actionDeclaration(action: ApiAction): Required<ActionDeclaration> {
  const { on, groups = [] }: ActionDeclaration = ACTIONS[action];
  return { on, groups };
}
