/** Names and values, one below the other. @module */
import type { ReactNode } from 'react';
import styles from './facts.module.css';

/** A list of facts. */
export function Facts({ children }: { readonly children: ReactNode }): ReactNode {
  return <dl className={styles['facts']}>{children}</dl>;
}

/** One of them. */
export function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <>
      <dt className={styles['name']}>{name}</dt>
      <dd className={styles['value']}>{children}</dd>
    </>
  );
}
