/** All filters, with how many devices there are of each value. @module */
import type { DeviceFacets } from '@holdfast/protocol/api';
import { Button, Checkbox, Drawer, Group, MultiSelect, NativeSelect, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { countText } from '../../parts/number-text.ts';
import { type Filter, type FilterField, valuesIn, withField } from './filter-state.ts';

interface FilterDrawerProps {
  readonly isOpen: boolean;
  readonly filter: Filter;
  readonly facets: DeviceFacets | undefined;
  readonly onChange: (filter: Filter) => void;
  readonly onClose: () => void;
}

const DAY_MS = 86_400_000;

/** Since when a device is silent, in words. */
const SILENCES = [
  { label: 'a day', ms: DAY_MS },
  { label: 'a week', ms: 7 * DAY_MS },
  { label: 'a month', ms: 30 * DAY_MS },
] as const;

const UPDATE_STATES = [
  'downloading',
  'staged',
  'trial',
  'confirmed',
  'reverted',
  'failed',
  'none',
] as const;

/** A drawer: each change counts at once. */
export function FilterDrawer(props: FilterDrawerProps): ReactNode {
  return (
    <Drawer opened={props.isOpen} onClose={props.onClose} title="Filter devices" position="right">
      {props.isOpen && <Filters {...props} />}
    </Drawer>
  );
}

function Filters({ filter, facets, onChange, onClose }: FilterDrawerProps): ReactNode {
  const set = (field: FilterField, value: string | undefined): void =>
    onChange(withField(filter, field, value));
  const setValues = (field: FilterField, values: readonly string[]): void =>
    set(field, values.length === 0 ? undefined : values.join(','));
  const several = { filter, onChange: setValues };
  return (
    <Stack gap="lg">
      <Values field="state" label="State" facet={facets?.states} {...several} />
      <NativeSelect
        label="Connection"
        value={connectionOf(filter)}
        data={[
          { value: '', label: 'Any' },
          { value: 'online', label: 'Connected now' },
          { value: 'offline', label: 'Not connected' },
          { value: 'never', label: 'Never seen' },
          ...SILENCES.map(({ label, ms }) => {
            return { value: String(ms), label: `Not seen for more than ${label}` };
          }),
          ...(connectionOf(filter) === 'since'
            ? [{ value: 'since', label: 'As in the address of the page' }]
            : []),
        ]}
        onChange={(event) => onChange(withConnection(filter, event.currentTarget.value))}
      />
      <Values field="class" label="Class" facet={facets?.classes} {...several} />
      <Choice
        field="group"
        label="Group"
        note="Any of them"
        facet={facets?.groups}
        none="No group"
        {...several}
      />
      <Choice field="tag" label="Tags" note="All of them" facet={facets?.tags} {...several} />
      <Choice
        field="firmware"
        label="Firmware"
        note="What they run"
        facet={facets?.firmware}
        {...several}
      />
      <NativeSelect
        label="Last update"
        value={filter.update ?? ''}
        data={[
          { value: '', label: 'Any' },
          ...UPDATE_STATES.map((value) => {
            return { value, label: value === 'none' ? 'told nothing yet' : value };
          }),
          ...(filter.update !== undefined && !UPDATE_STATES.some((one) => one === filter.update)
            ? [filter.update]
            : []),
        ]}
        onChange={(event) => set('update', event.currentTarget.value || undefined)}
      />
      <NativeSelect
        label="Owner"
        value={filter.owner ?? ''}
        data={[
          { value: '', label: 'Any' },
          { value: 'yes', label: 'Somebody has it, by the app' },
          { value: 'no', label: 'Nobody has it' },
        ]}
        onChange={(event) => set('owner', event.currentTarget.value || undefined)}
      />
      <Group justify="space-between">
        <Button variant="default" onClick={() => onChange({})}>
          Remove all filters
        </Button>
        <Button onClick={onClose}>Show the devices</Button>
      </Group>
    </Stack>
  );
}

interface ValuesProps {
  readonly field: FilterField;
  readonly label: string;
  readonly facet: DeviceFacets['states'] | undefined;
  readonly filter: Filter;
  readonly onChange: (field: FilterField, values: readonly string[]) => void;
}

/** A box for each value. */
function Values({ field, label, facet, filter, onChange }: ValuesProps): ReactNode {
  const chosen = valuesIn(filter[field]);
  const known = facet?.map(({ value }) => value) ?? [];
  const all = [...known, ...chosen.filter((value) => !known.includes(value))];
  return (
    <Checkbox.Group label={label} value={chosen} onChange={(values) => onChange(field, values)}>
      <Stack gap={6} mt={6}>
        {all.map((value) => (
          <Checkbox key={value} value={value} label={labelOf(value, facet)} />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

/** A list to choose from, for what there can be hundreds of. */
function Choice({
  field,
  label,
  note,
  none = 'None',
  facet,
  filter,
  onChange,
}: ValuesProps & { readonly note: string; readonly none?: string }): ReactNode {
  const chosen = valuesIn(filter[field]);
  const known = facet?.map(({ value }) => value) ?? [];
  const all = [...known, ...chosen.filter((value) => !known.includes(value))];
  return (
    <MultiSelect
      label={label}
      description={note}
      placeholder={chosen.length === 0 ? 'Any' : ''}
      value={chosen.map((value) => value || EMPTY)}
      data={all.map((value) => {
        return { value: value || EMPTY, label: value === '' ? none : labelOf(value, facet) };
      })}
      searchable
      clearable
      nothingFoundMessage={`There is no such ${label.toLowerCase()}.`}
      maxValues={16}
      onChange={(values) =>
        onChange(
          field,
          values.map((value) => (value === EMPTY ? '' : value)),
        )
      }
    />
  );
}

/** Stands for no value: a list cannot have an empty one. */
const EMPTY = '\u0000';

function labelOf(value: string, facet: DeviceFacets['states'] | undefined): string {
  const devices = facet?.find((one) => one.value === value)?.devices;
  return devices === undefined ? value : `${value} (${countText(devices)})`;
}

function connectionOf({ online, seen, seenBefore }: Filter): string {
  if (online !== undefined) return online === 'yes' ? 'online' : 'offline';
  if (seen === 'never') return 'never';
  return seenBefore === undefined ? '' : 'since';
}

function withConnection(filter: Filter, value: string): Filter {
  const { online: _online, seen: _seen, seenBefore: _before, seenAfter: _after, ...rest } = filter;
  if (value === 'online' || value === 'offline') {
    return { ...rest, online: value === 'online' ? 'yes' : 'no' };
  }
  if (value === 'never') return { ...rest, seen: 'never' };
  const ms = Number(value);
  if (value === '' || Number.isNaN(ms)) return rest;
  return { ...rest, seenBefore: new Date(Date.now() - ms).toISOString() };
}
