/** What a topic or a filter is about: which devices, and which parts of what they say. @module */
import { TOPIC_PARTS, type TopicPart } from '../policy/index.ts';

/** What a topic name is about. */
export interface TopicScope {
  readonly part: TopicPart;
  /** Empty for what is not of one device. */
  readonly deviceId: string;
}

/** What a topic filter can match of what anybody can publish. */
export interface FilterScope {
  readonly parts: readonly TopicPart[];
  /** Undefined for all devices. */
  readonly deviceId: string | undefined;
}

/** Where a device hears that it is to look for an update. */
export function updateTopic(deviceId: string): string {
  return `${SYSTEM_ROOT}/${UPDATE_NAME}/${deviceId}`;
}

const UPDATE_NAME = 'update';
const ROOT = 'd';
const SYSTEM_ROOT = '$holdfast';
/** The parts of a device, as they stand in topics. */
const DEVICE_PARTS: readonly TopicPart[] = TOPIC_PARTS.filter(
  (part) => part !== 'system' && part !== 'update',
);

/**
 * Levels of a topic of each part: `d/<device>/state` alone, one name for a command, and as many as
 * there may be for the others.
 */
const LEVELS: Readonly<Partial<Record<TopicPart, number>>> = { state: 3, cmd: 4 };

/** What a topic is about; undefined when it is none on which anybody publishes. */
export function scopeOfTopic(topic: string): TopicScope | undefined {
  const levels = topic.split('/');
  const [root, deviceId = '', name] = levels;
  if (root !== ROOT || deviceId === '') return undefined;
  const part = DEVICE_PARTS.find((each) => each === name);
  if (part === undefined) return undefined;
  return levels.length === (LEVELS[part] ?? levels.length) ? { part, deviceId } : undefined;
}

/**
 * What a filter can match; undefined for one that reaches beyond the topics of devices and of the
 * system. A level that no topic has counts as all of them: nobody is told which there are.
 */
export function scopeOfFilter(filter: string): FilterScope | undefined {
  const levels = filter.split('/');
  const [root, deviceId = '#', name = '#'] = levels;
  if (root === SYSTEM_ROOT) return systemScope(levels);
  if (root !== ROOT) return undefined;
  const isWild = deviceId === '+' || deviceId === '#';
  const part = DEVICE_PARTS.find((each) => each === name);
  return {
    parts: part === undefined ? DEVICE_PARTS : [part],
    deviceId: isWild ? undefined : deviceId,
  };
}

/** What tells one device of its update is of that device; all else is of the system. */
function systemScope([, name, deviceId = '', ...rest]: readonly string[]): FilterScope {
  const isOwn = name === UPDATE_NAME && /^[^+#]+$/u.test(deviceId) && rest.length === 0;
  return isOwn ? { parts: ['update'], deviceId } : { parts: ['system'], deviceId: '' };
}

/** The topics of a part, as an operator reads them in a refusal. */
export function topicsOf(part: TopicPart, deviceId: string): string {
  if (part === 'system') return `${SYSTEM_ROOT}/#`;
  if (part === 'update') return updateTopic(deviceId);
  if (part === 'state') return `${ROOT}/${deviceId}/state`;
  return `${ROOT}/${deviceId}/${part}/${part === 'cmd' ? '+' : '#'}`;
}
