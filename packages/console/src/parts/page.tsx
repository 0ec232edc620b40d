/** The frame of a page: its title, one sentence, and what can be done on it. @module */
import { type ReactNode, useEffect } from 'react';
import styles from './page.module.css';

/** What a page says of itself. */
export interface PageProps {
  readonly title: ReactNode;
  /** For the tab of the browser, when the title is more than text. */
  readonly name?: string;
  /** One sentence in plain words. */
  readonly intro?: ReactNode;
  readonly actions?: ReactNode;
  /** Uses the whole width, for tables. */
  readonly isWide?: boolean;
  readonly children: ReactNode;
}

/** A page. */
export function Page({ title, name, intro, actions, isWide, children }: PageProps): ReactNode {
  const text = name ?? (typeof title === 'string' ? title : '');
  useEffect(() => {
    document.title = text === '' ? 'Holdfast' : `${text} · Holdfast`;
  }, [text]);
  return (
    <div className={isWide === true ? styles['wide'] : styles['page']}>
      <header className={styles['header']}>
        <div>
          <h1 className={styles['title']}>{title}</h1>
          {intro !== undefined && <p className={styles['intro']}>{intro}</p>}
        </div>
        {actions !== undefined && <div className={styles['actions']}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
