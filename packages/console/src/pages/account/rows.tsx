/** Things of one's own, one below the other, each with what can be done to it. @module */
import type { ReactNode } from 'react';
import styles from './rows.module.css';

/** The list. */
export function Rows({ children }: { readonly children: ReactNode }): ReactNode {
  return <ul className={styles['rows']}>{children}</ul>;
}

/** One of it. */
export function Row({
  name,
  note,
  action,
}: {
  readonly name: ReactNode;
  readonly note: ReactNode;
  readonly action?: ReactNode;
}): ReactNode {
  return (
    <li className={styles['row']}>
      <div>
        <div className={styles['name']}>{name}</div>
        <div className={styles['note']}>{note}</div>
      </div>
      {action}
    </li>
  );
}

/** A form below a list, no wider than it reads well. */
export function BelowRows({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles['form']}>{children}</div>;
}
