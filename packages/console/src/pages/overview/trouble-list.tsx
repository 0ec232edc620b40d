/** What is wrong: what, why, what to do, and where. @module */
import type { Trouble, TroubleSeverity } from '@holdfast/protocol/api';
import { CircleAlert, Lightbulb, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { CopyText } from '../../parts/copy.tsx';
import type { Tone } from '../../parts/tone.ts';
import styles from './trouble-list.module.css';

const LOOKS: Readonly<
  Record<TroubleSeverity, { readonly tone: Tone; readonly word: string; Icon: typeof Lightbulb }>
> = {
  critical: { tone: 'bad', word: 'Act now', Icon: CircleAlert },
  warning: { tone: 'warn', word: 'Look at it', Icon: TriangleAlert },
  advice: { tone: 'info', word: 'Good to do', Icon: Lightbulb },
};

/** Troubles, in the order in which they come. */
export function TroubleList({ troubles }: { readonly troubles: readonly Trouble[] }): ReactNode {
  return (
    <ul className={styles['list']}>
      {troubles.map((trouble) => (
        <TroubleItem key={`${trouble.code} ${trouble.title}`} trouble={trouble} />
      ))}
    </ul>
  );
}

function TroubleItem({ trouble }: { readonly trouble: Trouble }): ReactNode {
  const { severity, title, why, fix, href, command } = trouble;
  const { tone, word, Icon } = LOOKS[severity];
  return (
    <li className={styles['trouble']} data-tone={tone}>
      <Icon size={18} aria-hidden="true" className={styles['icon']} />
      <div>
        <h3 className={styles['title']}>
          <span className={styles['severity']}>{word}:</span>
          {title}
        </h3>
        <p className={`${styles['text']} ${styles['why']}`}>{why}</p>
        <p className={styles['text']}>{fix}</p>
        {command !== undefined && (
          <span className={styles['command']}>
            <CopyText value={command} label="the command" />
          </span>
        )}
      </div>
      <Link to={href} className={styles['open']} aria-label={`${placeOf(href)}: ${title}`}>
        {placeOf(href)}
      </Link>
    </li>
  );
}

/** "See the devices", for `/devices?state=quarantined`. */
function placeOf(href: string): string {
  const [, first = ''] = href.split(/[/?]/u);
  return PLACES.get(first) ?? 'See more';
}

const PLACES: ReadonlyMap<string, string> = new Map([
  ['devices', 'See the devices'],
  ['refusals', 'See the refusals'],
  ['audit', 'See the audit log'],
  ['firmware', 'See the firmware'],
  ['rollouts', 'See the rollout'],
  ['settings', 'See the settings'],
  ['welcome', 'Begin'],
]);
