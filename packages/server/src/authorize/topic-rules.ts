/** Who may publish and subscribe where, as data. @module */
import type { DeviceClassName } from '../registry/index.ts';

/** One permission: an action on the topics that a filter covers. */
export interface TopicRule {
  readonly action: 'publish' | 'subscribe';
  /**
   * Topic filter; `{device}` stands for the id of the device that the grant is for, and a rule
   * with it permits nothing to a person.
   */
  readonly filter: string;
}

/** What a device may do: report as itself, and hear its own commands. Nothing else. */
export const DEVICE_RULES: readonly TopicRule[] = [
  { action: 'publish', filter: 'd/{device}/telemetry/#' },
  { action: 'publish', filter: 'd/{device}/state' },
  { action: 'publish', filter: 'd/{device}/ack/#' },
  { action: 'subscribe', filter: 'd/{device}/cmd/#' },
];

/**
 * What a service, a program behind the scenes, may do: read everything, and report how it is
 * doing itself. Commands are for people, who answer for them by name on the audit log.
 */
export const SERVICE_RULES: readonly TopicRule[] = [
  { action: 'publish', filter: 'd/{device}/telemetry/#' },
  { action: 'publish', filter: 'd/{device}/state' },
  { action: 'subscribe', filter: 'd/#' },
  { action: 'subscribe', filter: '$holdfast/#' },
];

/** What a signed-in operator may do over MQTT. What is published becomes a signed command. */
export const OPERATOR_RULES: readonly TopicRule[] = [
  { action: 'publish', filter: 'd/+/cmd/+' },
  { action: 'subscribe', filter: 'd/#' },
  { action: 'subscribe', filter: '$holdfast/#' },
];

const RULES: Readonly<Record<DeviceClassName, readonly TopicRule[]>> = {
  sensor: DEVICE_RULES,
  actuator: DEVICE_RULES,
  gateway: DEVICE_RULES,
  service: SERVICE_RULES,
};

/** The rules of a class of devices. */
export function rulesOf(className: DeviceClassName): readonly TopicRule[] {
  return RULES[className];
}

/** Topic on which a command reaches a device. `name` is one topic level. */
export function commandTopic(deviceId: string, name: string): string {
  return `d/${deviceId}/cmd/${name}`;
}

/** What a topic of a command says; it was permitted, so it has four levels. */
export function parseCommandTopic(topic: string): { deviceId: string; name: string } {
  const [, deviceId = '', , name = ''] = topic.split('/');
  return { deviceId, name };
}
