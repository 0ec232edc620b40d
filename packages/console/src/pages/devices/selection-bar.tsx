/** What is selected, and what can be done to it. @module */
import type { BulkAct } from '@holdfast/protocol/api';
import { Button, Menu } from '@mantine/core';
import { ChevronDown } from 'lucide-react';
import { Fragment, type ReactNode } from 'react';
import { counted } from '../../parts/number-text.ts';
import { BULK_ACTIONS, BULK_GROUPS, BULK_WORDS } from './bulk-words.ts';
import { type Selected, countOf } from './selection.ts';
import styles from './devices.module.css';

interface SelectionBarProps {
  readonly selected: Selected;
  /** How many match the filter in all. */
  readonly count: number;
  /** Actions of the policy that whoever looks has a right to somewhere; undefined: not known. */
  readonly may: readonly string[] | undefined;
  readonly onSelectAll: () => void;
  readonly onClear: () => void;
  readonly onAct: (act: BulkAct) => void;
}

/** The bar; it stays in sight while somebody scrolls. */
export function SelectionBar({
  selected,
  count,
  may,
  onSelectAll,
  onClear,
  onAct,
}: SelectionBarProps): ReactNode {
  const number = countOf(selected);
  const groups = BULK_GROUPS.map(({ label, acts }) => {
    return { label, acts: acts.filter((act) => may?.includes(BULK_ACTIONS[act]) ?? true) };
  }).filter(({ acts }) => acts.length > 0);
  return (
    <section className={styles['selected']} aria-label="Selected devices">
      <strong role="status">{counted(number, 'device')} selected</strong>
      {selected.kind === 'some' && count > number && (
        <Button variant="subtle" size="compact-sm" onClick={onSelectAll}>
          Select all {counted(count, 'device')} that match
        </Button>
      )}
      <span className={styles['grow']} />
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="xs" rightSection={<ChevronDown size={16} aria-hidden="true" />}>
            Do something to them
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {groups.map(({ label, acts }) => (
            <Fragment key={label}>
              <Menu.Label>{label}</Menu.Label>
              {acts.map((act) => (
                <Menu.Item
                  key={act}
                  {...(BULK_WORDS[act].isTyped === true && { className: styles['danger'] ?? '' })}
                  onClick={() => onAct(act)}
                >
                  {BULK_WORDS[act].label}…
                </Menu.Item>
              ))}
            </Fragment>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Button variant="default" size="xs" onClick={onClear}>
        Select none
      </Button>
    </section>
  );
}
