/** What stands where nothing is yet: why, and what to do. @module */
import type { ReactNode } from 'react';
import styles from './empty.module.css';

/** A sentence in place of an empty table. */
export function Empty({
  title,
  children,
  actions,
}: {
  readonly title: ReactNode;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}): ReactNode {
  return (
    <div className={styles['empty']}>
      <p className={styles['title']}>{title}</p>
      {children !== undefined && <div className={styles['text']}>{children}</div>}
      {actions !== undefined && <div className={styles['actions']}>{actions}</div>}
    </div>
  );
}

/** What stands while an answer is on its way. */
export function Loading({ what }: { readonly what: string }): ReactNode {
  return (
    <p className={styles['loading']} role="status">
      Loading {what}…
    </p>
  );
}
