/** Says which refusals are shown. @module */
import { REFUSAL_CAUSES, REFUSAL_CODES } from '@holdfast/protocol';
import { Button, Select, TextInput } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { type RefusalFilter, isFiltered } from './refusal-filter.ts';
import styles from './refusals.module.css';

/** Reasons that a device or an address can cause come first: they are what people look for. */
const CODES = Object.entries(REFUSAL_CODES)
  .map(([value, { what }]) => ({ value, label: what }))
  .toSorted((a, b) => Number(hasCause(b.value)) - Number(hasCause(a.value)));

/** The bar. */
export function FilterBar({
  filter,
  onChange,
}: {
  readonly filter: RefusalFilter;
  readonly onChange: (filter: RefusalFilter) => void;
}): ReactNode {
  return (
    <search className={styles['controls']} aria-label="Refusals">
      <Select
        className={styles['code'] ?? ''}
        label="Reason"
        placeholder="Any"
        data={CODES}
        value={filter.code === '' ? null : filter.code}
        onChange={(code) => onChange({ ...filter, code: code ?? '' })}
        searchable
        clearable
        nothingFoundMessage="No reason has these words."
        clearButtonProps={{ 'aria-label': 'Any reason' }}
      />
      <Words
        label="Device or person"
        value={filter.device}
        onChange={(device) => onChange({ ...filter, device })}
      />
      <Words
        label="Address"
        value={filter.address}
        onChange={(address) => onChange({ ...filter, address })}
      />
      {isFiltered(filter) && (
        <Button variant="default" onClick={() => onChange({ device: '', address: '', code: '' })}>
          Show all
        </Button>
      )}
    </search>
  );
}

/** A text that counts once somebody is done with it: each letter would be a search. */
function Words({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const done = (): void => {
    if (text.trim() !== value) onChange(text.trim());
  };
  return (
    <TextInput
      className={styles['text'] ?? ''}
      label={label}
      placeholder="Any"
      value={text}
      maxLength={256}
      spellCheck={false}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done();
      }}
    />
  );
}

function hasCause(code: string): boolean {
  return Object.hasOwn(REFUSAL_CAUSES, code);
}
