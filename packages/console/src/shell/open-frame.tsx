/** What stands around a page for whoever is not, or not fully, signed in. @module */
import { type ReactNode, useEffect, useRef } from 'react';
import styles from './open-frame.module.css';

/** A page in the middle of the window. */
export interface OpenFrameProps {
  readonly title: string;
  readonly intro?: ReactNode;
  /** Where one is on the way, such as "Step 2 of 3". */
  readonly step?: string | undefined;
  /** Small print below. */
  readonly foot?: ReactNode;
  readonly children: ReactNode;
}

/** A card below the name of the server. The heading gets the focus when it changes. */
export function OpenFrame({ title, intro, step, foot, children }: OpenFrameProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(title);
  useEffect(() => {
    document.title = `${title} · Holdfast`;
    if (before.current !== title) heading.current?.focus();
    before.current = title;
  }, [title]);
  return (
    <div className={styles['frame']}>
      <div className={styles['brand']}>
        <img src="/holdfast.svg" alt="" width={28} height={28} />
        Holdfast
      </div>
      <p className={styles['host']}>{location.host}</p>
      <main className={styles['card']}>
        <div>
          {step !== undefined && <p className={styles['steps']}>{step}</p>}
          <h1 ref={heading} tabIndex={-1} className={styles['title']}>
            {title}
          </h1>
          {intro !== undefined && <p className={styles['intro']}>{intro}</p>}
        </div>
        {children}
      </main>
      {foot !== undefined && <div className={styles['foot']}>{foot}</div>}
    </div>
  );
}
