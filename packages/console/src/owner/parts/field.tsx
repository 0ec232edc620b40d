/** A field with its label. @module */
import { type InputHTMLAttributes, type ReactNode, useId } from 'react';
import styles from './controls.module.css';

/** What a field is. */
export interface FieldProps extends Omit<
  InputHTMLAttributes<HTMLInputElement>,
  'onChange' | 'value'
> {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly isMono?: boolean;
  readonly onText: (text: string) => void;
}

export function Field({
  label,
  hint,
  value,
  isMono = false,
  onText,
  ...input
}: FieldProps): ReactNode {
  const id = useId();
  return (
    <div className={styles['field']}>
      <label className={styles['label']} htmlFor={id}>
        {label}
      </label>
      <input
        className={styles['input']}
        data-mono={isMono}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        {...input}
        id={id}
        value={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onText(event.currentTarget.value)}
      />
      {hint !== undefined && (
        <span className={styles['hint']} id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}
