/** Topics of commands. @module */

/** Topic on which a command reaches a device. `name` is one topic level. */
export function commandTopic(deviceId: string, name: string): string {
  return `d/${deviceId}/cmd/${name}`;
}

/** What a topic of a command says; it was permitted, so it has four levels. */
export function parseCommandTopic(topic: string): { deviceId: string; name: string } {
  const [, deviceId = '', , name = ''] = topic.split('/');
  return { deviceId, name };
}
