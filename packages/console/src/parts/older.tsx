/** The way to what stands further back than a list goes. @module */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import styles from './table.module.css';

/** A button below a list, which asks for more of it. */
export function Older({
  isAsking = false,
  onAsk,
  children,
}: {
  readonly isAsking?: boolean;
  readonly onAsk: () => void;
  readonly children: string;
}): ReactNode {
  return (
    <div className={styles['more']}>
      <Button variant="default" loading={isAsking} onClick={onAsk}>
        {children}
      </Button>
    </div>
  );
}
