/** One figure that leads to its list. @module */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Tone } from './tone.ts';
import styles from './figure.module.css';

/** What a figure shows. */
export interface FigureProps {
  readonly label: string;
  readonly value: ReactNode;
  /** A few words below it. */
  readonly note?: ReactNode;
  /** Where the list is that it counts. */
  readonly to?: string;
  readonly tone?: Tone;
}

/** A figure. */
export function Figure({ label, value, note, to, tone = 'calm' }: FigureProps): ReactNode {
  const content = (
    <>
      <span className={styles['label']}>{label}</span>
      <span className={styles['value']} data-tone={tone}>
        {value}
      </span>
      {note !== undefined && <span className={styles['note']}>{note}</span>}
    </>
  );
  if (to === undefined) return <div className={styles['figure']}>{content}</div>;
  return (
    <Link to={to} className={styles['figure']}>
      {content}
    </Link>
  );
}

/** Figures side by side, as many in a row as there is room for. */
export function Figures({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles['figures']}>{children}</div>;
}
