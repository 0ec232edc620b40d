/** A part of a page, with a heading. @module */
import { type ReactNode, useId } from 'react';
import styles from './panel.module.css';

/** What a panel shows. */
export interface PanelProps {
  readonly title: ReactNode;
  /** One sentence below the heading. */
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  /** Without padding, for tables that reach the edges. */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

/** A panel. */
export function Panel({ title, note, actions, isFlush, children }: PanelProps): ReactNode {
  const id = useId();
  return (
    <section className={styles['panel']} aria-labelledby={id}>
      <header className={styles['header']}>
        <div>
          <h2 id={id} className={styles['title']}>
            {title}
          </h2>
          {note !== undefined && <p className={styles['note']}>{note}</p>}
        </div>
        {actions !== undefined && <div className={styles['actions']}>{actions}</div>}
      </header>
      <div className={isFlush === true ? styles['flush'] : styles['body']}>{children}</div>
    </section>
  );
}
