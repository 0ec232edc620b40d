/** A word with the color of its tone. @module */
import type { ReactNode } from 'react';
import type { Tone } from './tone.ts';
import styles from './badge.module.css';

/** A badge: the word tells, the color helps. */
export function Badge({
  tone = 'calm',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <span className={styles['badge']} data-tone={tone}>
      <span className={styles['dot']} aria-hidden="true" />
      {children}
    </span>
  );
}
