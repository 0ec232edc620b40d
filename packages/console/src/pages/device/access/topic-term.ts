/** Topics as the policy is asked about them. Pure. @module */

/** What was read of a topic: how the policy names it, or what is wrong, in plain words. */
export type TopicTerm =
  | { readonly term: string; readonly problem?: undefined }
  | { readonly term?: undefined; readonly problem: string };

const PARTS = ['telemetry', 'state', 'ack', 'cmd'] as const;
const UPDATE_PREFIX = '$holdfast/update/';

/** Reads a topic, such as `d/pump-1/telemetry/temp`. */
export function topicTerm(topic: string): TopicTerm {
  const text = topic.trim();
  if (text.startsWith(UPDATE_PREFIX)) {
    return { term: `topic:${text.slice(UPDATE_PREFIX.length)}/update` };
  }
  if (text.startsWith('$holdfast/')) return { term: 'topic:system' };
  const [root, device, part] = text.split('/');
  if (root !== 'd' || device === undefined || device === '') {
    return { problem: 'A topic begins with d/<device>/ or $holdfast/; all others are refused.' };
  }
  if (/[+#]/u.test(device)) {
    return { problem: 'Ask about one device; a wildcard needs the right to every one of them.' };
  }
  const known = PARTS.find((each) => each === part);
  if (known === undefined) {
    return {
      problem: `Behind d/${device}/ there are only ${PARTS.join(', ')}; others are refused.`,
    };
  }
  return { term: `topic:${device}/${known}` };
}

/** What a device does by itself, with the topics that are its own. */
export function defaultTopics(id: string): readonly {
  readonly action: 'publish' | 'subscribe';
  readonly topic: string;
  readonly what: string;
}[] {
  return [
    { action: 'publish', topic: `d/${id}/telemetry`, what: 'Readings' },
    { action: 'publish', topic: `d/${id}/state`, what: 'How it is now' },
    { action: 'publish', topic: `d/${id}/ack/<command>`, what: 'That it carried out a command' },
    { action: 'subscribe', topic: `d/${id}/cmd/#`, what: 'Commands to it' },
    {
      action: 'subscribe',
      topic: `$holdfast/update/${id}`,
      what: 'That there is an update for it',
    },
  ];
}
