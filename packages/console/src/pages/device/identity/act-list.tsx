/** Acts on a device, one below the other. @module */
import type { DeviceActView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { ActName } from '../../../parts/act-name.tsx';
import { Badge } from '../../../parts/badge.tsx';
import { STATE_TONES } from '../../../parts/device-state.tsx';
import { Time } from '../../../parts/time.tsx';
import { whoText } from '../../audit/act-text.ts';
import { happenedText, notedTexts } from './history-words.ts';
import styles from './act-list.module.css';

/** The list. */
export function ActList({
  acts,
  isShort = false,
}: {
  readonly acts: readonly DeviceActView[];
  /** Without what was noted besides. */
  readonly isShort?: boolean;
}): ReactNode {
  return (
    <ul className={styles['list']}>
      {acts.map((act) => (
        <li key={act.index} className={styles['act']}>
          <span className={styles['when']}>
            <Time at={act.at} />
          </span>
          <div>
            <p className={styles['what']}>
              <ActName action={act.action} words={happenedText(act)} />
              <Change act={act} />
            </p>
            <p className={styles['by']}>
              by {whoText(act)}
              {act.reason !== undefined && `: ${act.reason}`}
            </p>
            {!isShort && <Noted act={act} />}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Noted({ act }: { readonly act: DeviceActView }): ReactNode {
  const texts = notedTexts(act);
  if (texts.length === 0) return null;
  return (
    <p className={styles['noted']}>
      {texts.map((text) => (
        <span key={text}>{text}</span>
      ))}
    </p>
  );
}

function Change({ act: { before, after } }: { readonly act: DeviceActView }): ReactNode {
  if (after === undefined || before === undefined) return null;
  const found = Object.entries(STATE_TONES).find(([state]) => state === after);
  return (
    <span className={styles['change']}>
      {before} <span aria-label="became">→</span> <Badge tone={found?.[1] ?? 'calm'}>{after}</Badge>
    </span>
  );
}
