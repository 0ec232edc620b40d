/** Which devices the list shows, as it stands in the address of the page. @module */
import type { DeviceFilterFields } from '@holdfast/protocol/api';

/** The fields of a filter. */
export type FilterField = keyof DeviceFilterFields;

/** What each field is called, in the order in which they are shown. */
export const FIELD_LABELS: Readonly<Record<FilterField, string>> = {
  q: 'Search',
  state: 'State',
  online: 'Connection',
  seen: 'Seen',
  seenBefore: 'Not seen since',
  seenAfter: 'Seen since',
  class: 'Class',
  group: 'Group',
  tag: 'Tag',
  firmware: 'Firmware',
  update: 'Update',
  hardware: 'Hardware',
  owner: 'Owner',
  certificateBefore: 'Certificate ends before',
};

const FIELDS = Object.keys(FIELD_LABELS).filter(
  (name): name is FilterField => name in FIELD_LABELS,
);

/** A filter as it is sent. */
export type Filter = Readonly<Partial<Record<FilterField, string>>>;

/** The orders that there are, each as `sort order` of the API. */
export const ORDERS = [
  { value: 'id asc', label: 'Name, A to Z' },
  { value: 'id desc', label: 'Name, Z to A' },
  { value: 'seen desc', label: 'Last seen, newest first' },
  { value: 'seen asc', label: 'Last seen, oldest first' },
  { value: 'since desc', label: 'State changed, newest first' },
  { value: 'since asc', label: 'State changed, oldest first' },
] as const;
/** One of them. */
export type Order = (typeof ORDERS)[number]['value'];

/** Reads the filter of an address; what is none of ours is left out. */
export function filterOf(search: URLSearchParams): Filter {
  return Object.fromEntries(
    FIELDS.flatMap((field) => {
      const value = search.get(field);
      // An empty group or tag means those without one; any other empty field means nothing.
      const isMeant = value !== null && (value !== '' || field === 'group' || field === 'tag');
      return isMeant ? [[field, value]] : [];
    }),
  );
}

/** Reads the order of an address. */
export function orderOf(search: URLSearchParams): Order {
  const value = `${search.get('sort') ?? 'id'} ${search.get('order') ?? 'asc'}`;
  return ORDERS.find((order) => order.value === value)?.value ?? 'id asc';
}

/** The address of a filter and an order. */
export function searchOf(filter: Filter, order: Order): URLSearchParams {
  const search = new URLSearchParams();
  for (const field of FIELDS) {
    const value = filter[field];
    if (value !== undefined) search.set(field, value);
  }
  const [sort = 'id', direction = 'asc'] = order.split(' ');
  if (order !== 'id asc') {
    search.set('sort', sort);
    search.set('order', direction);
  }
  return search;
}

/** The filter with one field changed; without it, when there is no value. */
export function withField(filter: Filter, field: FilterField, value: string | undefined): Filter {
  const { [field]: _before, ...rest } = filter;
  return value === undefined ? rest : { ...rest, [field]: value };
}

/** The values of a field that can have several. */
export function valuesIn(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(',');
}

/** Something that the filter asks for, and how it is told. */
export interface FilterChip {
  readonly field: FilterField;
  readonly text: string;
}

/** What a filter asks for, in words. */
export function chipsOf(filter: Filter, momentText: (time: string) => string): FilterChip[] {
  return FIELDS.flatMap((field): FilterChip[] => {
    const value = filter[field];
    return value === undefined ? [] : [{ field, text: chipText(field, value, momentText) }];
  });
}

function chipText(field: FilterField, value: string, momentText: (time: string) => string): string {
  const label = FIELD_LABELS[field];
  if (field === 'online') return value === 'yes' ? 'Connected now' : 'Not connected';
  if (field === 'seen') return value === 'never' ? 'Never seen' : 'Seen at some time';
  if (field === 'owner') return value === 'yes' ? 'Has an owner' : 'Has no owner';
  if (field === 'q') return `Search: “${value}”`;
  if (field === 'seenBefore' || field === 'seenAfter' || field === 'certificateBefore') {
    return `${label} ${momentText(value)}`;
  }
  const words = valuesIn(value).map((one) => (one === '' ? 'none' : one));
  return `${label}: ${words.join(field === 'tag' ? ' and ' : ' or ')}`;
}
