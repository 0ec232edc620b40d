/** Who may publish and subscribe where, as data. @module */

/** One permission: an action on the topics that a filter covers. */
export interface TopicRule {
  readonly action: 'publish' | 'subscribe';
  /** Topic filter; `{device}` stands for the id of the device that the grant is for. */
  readonly filter: string;
}

/** What every device may do: report as itself, and hear its own commands. Nothing else. */
export const DEVICE_RULES: readonly TopicRule[] = [
  { action: 'publish', filter: 'd/{device}/telemetry/#' },
  { action: 'publish', filter: 'd/{device}/state' },
  { action: 'publish', filter: 'd/{device}/ack/#' },
  { action: 'subscribe', filter: 'd/{device}/cmd/#' },
];

/** Topic on which a command reaches a device. `name` is one topic level. */
export function commandTopic(deviceId: string, name: string): string {
  return `d/${deviceId}/cmd/${name}`;
}
