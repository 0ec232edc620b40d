/**
 * Whether a device is meant by a filter. What many devices share, such as a group, is looked at
 * once; what is looked up elsewhere comes last.
 * @module
 */
import type { DeviceFilterFields } from '@holdfast/protocol/api';
import {
  DEVICE_CLASS_NAMES,
  DEVICE_STATES,
  type DeviceColumns,
  type Slot,
} from '../registry/index.ts';
import type { DeviceFactsReader } from './device-facts.ts';

/** Whether the device at a place in the columns is meant. */
export type SlotTest = (slot: Slot) => boolean;

/** What a filter looks at besides the columns. */
export type FilteredFacts = Pick<
  DeviceFactsReader,
  'hasOwner' | 'releaseOf' | 'updateState' | 'hardware' | 'certificatesEndingBefore'
>;

/** Makes the test of a filter; it counts as long as no device changes. */
export function deviceFilter(
  filter: DeviceFilterFields,
  { columns, facts }: { columns: DeviceColumns; facts: FilteredFacts },
): SlotTest {
  const tests = [
    ...ofRecord(filter, columns),
    ...ofPresence(filter, columns),
    ...ofText(filter, columns),
    ...ofFacts(filter, { columns, facts }),
  ];
  const [first, second, ...others] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return (slot) => first(slot) && second(slot) && others.every((test) => test(slot));
}

function ofRecord(
  { state, class: className, group, tag }: DeviceFilterFields,
  { states, classes, groups, tags, groupNames, tagSets }: DeviceColumns,
): SlotTest[] {
  const tests: SlotTest[] = [];
  const wantedStates = valuesOf(state);
  if (wantedStates !== undefined) tests.push(among(states, DEVICE_STATES, wantedStates));
  const wantedClasses = valuesOf(className);
  if (wantedClasses !== undefined) tests.push(among(classes, DEVICE_CLASS_NAMES, wantedClasses));
  const wantedGroups = valuesOf(group);
  if (wantedGroups !== undefined) tests.push(among(groups, groupNames.values, wantedGroups));
  const wantedTags = valuesOf(tag);
  if (wantedTags !== undefined) {
    const hasAll = (set: readonly string[]): boolean =>
      [...wantedTags].every((one) => (one === '' ? set.length === 0 : set.includes(one)));
    tests.push(where(tags, tagSets.values.map(hasAll)));
  }
  return tests;
}

function ofPresence(
  { online, seen, seenBefore, seenAfter }: DeviceFilterFields,
  { online: isOnline, seenMs }: DeviceColumns,
): SlotTest[] {
  const tests: SlotTest[] = [];
  if (online !== undefined) {
    const wanted = online === 'yes' ? 1 : 0;
    tests.push((slot) => isOnline[slot] === wanted);
  }
  if (seen !== undefined) {
    const isWanted = seen === 'ever';
    tests.push((slot) => (isOnline[slot] === 1 || (seenMs[slot] ?? 0) > 0) === isWanted);
  }
  const beforeMs = momentOf(seenBefore);
  if (beforeMs !== undefined) {
    tests.push((slot) => {
      const ms = seenMs[slot] ?? 0;
      return isOnline[slot] === 0 && ms > 0 && ms < beforeMs;
    });
  }
  const afterMs = momentOf(seenAfter);
  if (afterMs !== undefined) {
    tests.push((slot) => isOnline[slot] === 1 || (seenMs[slot] ?? 0) >= afterMs);
  }
  return tests;
}

function ofText(
  { q }: DeviceFilterFields,
  { groups, classes, tags, lowerIds, groupNames, tagSets }: DeviceColumns,
): SlotTest[] {
  if (q === undefined) return [];
  const text = q.toLowerCase();
  const has = (value: string): boolean => value.toLowerCase().includes(text);
  const inClass = where(classes, DEVICE_CLASS_NAMES.map(has));
  const inGroup = where(groups, groupNames.values.map(has));
  const inTags = where(
    tags,
    tagSets.values.map((set) => set.some(has)),
  );
  const inId: SlotTest = (slot) => (lowerIds[slot] ?? '').includes(text);
  return [(slot) => inClass(slot) || inGroup(slot) || inTags(slot) || inId(slot)];
}

function ofFacts(
  { owner, update, hardware, firmware, certificateBefore }: DeviceFilterFields,
  { columns, facts }: { columns: DeviceColumns; facts: FilteredFacts },
): SlotTest[] {
  const { devices, running, runningTexts } = columns;
  const tests: SlotTest[] = [];
  const idOf = (slot: Slot): string => devices[slot]?.id ?? '';
  const endMs = momentOf(certificateBefore);
  if (endMs !== undefined) {
    const ending = facts.certificatesEndingBefore(endMs);
    tests.push((slot) => ending.has(idOf(slot)));
  }
  if (owner !== undefined) tests.push((slot) => facts.hasOwner(idOf(slot)) === (owner === 'yes'));
  const updates = valuesOf(update);
  if (updates !== undefined) {
    tests.push((slot) => updates.has(facts.updateState(idOf(slot)) ?? 'none'));
  }
  const kinds = valuesOf(hardware);
  if (kinds !== undefined) {
    tests.push((slot) => {
      const device = devices[slot];
      return device !== undefined && kinds.has(facts.hardware(device) ?? '');
    });
  }
  const versions = valuesOf(firmware);
  if (versions !== undefined) {
    const isWanted = (told: string): boolean => {
      const runs = facts.releaseOf(told) ?? 'unknown';
      return versions.has(runs) || versions.has(runs.slice(0, Math.max(0, runs.indexOf('@'))));
    };
    tests.unshift(where(running, runningTexts.values.map(isWanted)));
  }
  return tests;
}

/** Whether the number in a column is that of a wanted value. */
function among(
  column: Uint8Array | Uint32Array,
  values: readonly string[],
  wanted: ReadonlySet<string>,
): SlotTest {
  return where(
    column,
    values.map((value) => wanted.has(value)),
  );
}

function where(column: Uint8Array | Uint32Array, isMeant: readonly boolean[]): SlotTest {
  return (slot) => isMeant[column[slot] ?? -1] === true;
}

function valuesOf(list: string | undefined): ReadonlySet<string> | undefined {
  return list === undefined ? undefined : new Set(list.split(','));
}

function momentOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
