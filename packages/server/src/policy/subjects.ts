/** Who asks, what for, and on which thing: what a decision is about. @module */
import type { Device, RoleName, TokenScope } from '../registry/index.ts';
import type { ApiAction } from './actions.ts';

/** What the policy may know of a device. */
export type DeviceFacts = Pick<Device, 'id' | 'class' | 'state' | 'group' | 'boot'> & {
  /** Who has it; undefined for nobody. */
  readonly owner?: string | undefined;
};

/** A person, with the role that it has now. */
export interface PersonPrincipal {
  readonly kind: 'person';
  /** `person:<name>`, or `local` for whoever can read the data folder. */
  readonly id: string;
  readonly role: RoleName;
  /** What the credential is good for, where it is a token with a scope. */
  readonly scope?: TokenScope | undefined;
}

/** An app of an owner. */
export interface AppPrincipal {
  readonly kind: 'app';
  readonly id: string;
  readonly owner: string;
}

/** A device as whoever asks. */
export interface DevicePrincipal {
  readonly kind: 'device';
  readonly device: DeviceFacts;
}

/** Who asks. */
export type Principal = PersonPrincipal | AppPrincipal | DevicePrincipal;

/**
 * The parts of the topic tree: the third level below `d/<device>/`, `$holdfast/update/<device>`, or
 * all else of `$holdfast/`.
 */
export const TOPIC_PARTS = ['telemetry', 'state', 'ack', 'cmd', 'update', 'system'] as const;
export type TopicPart = (typeof TOPIC_PARTS)[number];

/** The thing that is asked for. */
export type Resource =
  | { readonly kind: 'server' }
  | { readonly kind: 'person'; readonly id: string }
  | { readonly kind: 'app'; readonly id: string; readonly owner: string }
  | { readonly kind: 'device'; readonly device: DeviceFacts }
  | {
      readonly kind: 'topic';
      readonly part: TopicPart;
      /** Undefined for what is not of one device. */
      readonly device?: DeviceFacts | undefined;
    };

/** What is asked for: an action of the API, or what devices do over MQTT. */
export type PolicyAction = ApiAction | 'publish' | 'subscribe';

/** What else a rule can ask for. */
export interface DecisionContext {
  /** The second factor was proven within the last minutes. */
  readonly steppedUp: boolean;
  /** Another person with the same right has approved this very request. */
  readonly secondPerson: boolean;
}

/** One question to the policy. */
export interface DecisionRequest {
  readonly principal: Principal;
  readonly action: PolicyAction;
  readonly resource: Resource;
  /** Neither, when it is left out. */
  readonly context?: DecisionContext | undefined;
}

/** Its answer. */
export interface Decision {
  readonly isPermitted: boolean;
  /** The rules that decided: their `@id`, or the line where they begin. None: nothing permits it. */
  readonly rules: readonly string[];
}

/** Of a request without circumstances. */
export const PLAIN_CONTEXT: DecisionContext = { steppedUp: false, secondPerson: false };
