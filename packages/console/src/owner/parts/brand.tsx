/** Whose page this is: a code that is typed goes to this server. @module */
import type { ReactNode } from 'react';
import styles from './brand.module.css';

export function Brand(): ReactNode {
  return (
    <div className={styles['brand']}>
      <img src="/holdfast.svg" width={36} height={36} alt="" />
      <span className={styles['name']}>Holdfast</span>
      <span className={styles['host']}>{location.host}</span>
    </div>
  );
}
