/** A run of refusals in a line, which opens. @module */
import { ChevronDown, ChevronRight } from 'lucide-react';
import { type ReactNode, memo, useId } from 'react';
import { countText } from '../../parts/number-text.ts';
import { agoText } from '../../parts/time-text.ts';
import { useNowMs } from '../../parts/use-now.ts';
import { RefusalDetail } from './refusal-detail.tsx';
import type { RefusalRun } from './refusal-runs.ts';
import { whoText } from './who.tsx';
import styles from './refusals.module.css';

/** One of them. */
export const RefusalItem = memo(function RefusalItem({
  run,
  isOpen,
  onToggle,
}: {
  readonly run: RefusalRun;
  readonly isOpen: boolean;
  readonly onToggle: (key: number) => void;
}): ReactNode {
  const id = useId();
  const nowMs = useNowMs();
  const { newest, count } = run;
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <li className={styles['item']}>
      <button
        type="button"
        className={styles['summary']}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => onToggle(run.key)}
      >
        <Chevron size={16} aria-hidden="true" className={styles['chevron']} />
        <span className={styles['time']}>{agoText(Date.parse(newest.at), nowMs)}</span>
        <span className={styles['what']}>
          {newest.what}
          {count > 1 && <span className={styles['times']}>{countText(count)} times</span>}
        </span>
        <span className={styles['who']}>{whoText(newest)}</span>
      </button>
      <div id={id}>{isOpen && <RefusalDetail run={run} />}</div>
    </li>
  );
});
