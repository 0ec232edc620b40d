/** Finds devices: a search box, filters, and what they are now. @module */
import type { DeviceFacets } from '@holdfast/protocol/api';
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { ListFilter, Search, X } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { agoText } from '../../parts/time-text.ts';
import { useNowMs } from '../../parts/use-now.ts';
import { FilterDrawer } from './filter-drawer.tsx';
import { type Filter, ORDERS, type Order, chipsOf, withField } from './filter-state.ts';
import styles from './devices.module.css';

/** How long somebody may pause while typing before it is searched for, in milliseconds. */
const TYPING_MS = 250;
const SEARCH_CHARACTERS_MAX = 64;

interface FilterBarProps {
  readonly filter: Filter;
  readonly order: Order;
  readonly onChange: (filter: Filter, order: Order) => void;
}

/** The bar above the list. */
export function FilterBar({ filter, order, onChange }: FilterBarProps): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const facets = useAsk<DeviceFacets>('/v1/device-facets', { everyMs: 60_000 });
  const nowMs = useNowMs();
  const chips = chipsOf(filter, (time) => agoText(Date.parse(time), nowMs));
  const change = (after: Filter): void => onChange(after, order);
  return (
    <div className={styles['bar']}>
      <div className={styles['find']}>
        <SearchBox
          text={filter.q ?? ''}
          onSearch={(q) => change(withField(filter, 'q', q === '' ? undefined : q))}
        />
        <Button
          variant="default"
          leftSection={<ListFilter size={16} aria-hidden="true" />}
          onClick={() => setIsOpen(true)}
        >
          Filter
        </Button>
        <NativeSelect
          aria-label="Order"
          className={styles['order'] ?? ''}
          value={order}
          data={ORDERS.map(({ value, label }) => ({ value, label }))}
          onChange={(event) => {
            const { value } = event.currentTarget;
            onChange(filter, ORDERS.find((one) => one.value === value)?.value ?? 'id asc');
          }}
        />
      </div>
      {chips.length > 0 && (
        <ul className={styles['chips']} aria-label="Filters">
          {chips.map(({ field, text }) => (
            <li key={field}>
              <button
                type="button"
                className={styles['chip']}
                onClick={() => change(withField(filter, field, undefined))}
                aria-label={`Remove the filter ${text}`}
              >
                {text}
                <X size={14} aria-hidden="true" />
              </button>
            </li>
          ))}
          {chips.length > 1 && (
            <li>
              <Button variant="subtle" size="compact-sm" onClick={() => change({})}>
                Remove all
              </Button>
            </li>
          )}
        </ul>
      )}
      <FilterDrawer
        isOpen={isOpen}
        filter={filter}
        facets={facets.data}
        onChange={change}
        onClose={() => setIsOpen(false)}
      />
    </div>
  );
}

function SearchBox({
  text,
  onSearch,
}: {
  readonly text: string;
  readonly onSearch: (text: string) => void;
}): ReactNode {
  const [typed, setTyped] = useState(text);
  // Somebody may have removed it elsewhere, or gone back.
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === text) return undefined;
    const timer = setTimeout(() => onSearch(wanted), TYPING_MS);
    return () => clearTimeout(timer);
  });
  return (
    <TextInput
      className={styles['search'] ?? ''}
      type="search"
      aria-label="Search for devices"
      placeholder="Name, group, class or tag"
      leftSection={<Search size={16} aria-hidden="true" />}
      value={typed}
      maxLength={SEARCH_CHARACTERS_MAX}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}
