/** How the devices of a rollout are, as a bar with its words. @module */
import type { RolloutView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { countText } from '../../parts/number-text.ts';
import { healthOf } from './rollout-text.ts';
import styles from './health-bar.module.css';

/** The bar. */
export function HealthBar({ counts }: Pick<RolloutView, 'counts'>): ReactNode {
  const parts = healthOf(counts);
  if (parts.length === 0) return <span>no devices yet</span>;
  return (
    <div>
      <div className={styles['bar']} aria-hidden="true">
        {parts.map(({ name, tone, count }) => (
          <span
            key={name}
            data-tone={tone}
            className={styles['part']}
            style={{ flexGrow: count }}
          />
        ))}
      </div>
      <div className={styles['words']}>
        {parts.map(({ name, tone, count }) => (
          <span key={name} data-tone={tone} className={styles['word']}>
            {countText(count)} {name}
          </span>
        ))}
      </div>
    </div>
  );
}
