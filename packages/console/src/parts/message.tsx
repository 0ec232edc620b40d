/** What a person has to know: a trouble, a hint, a success. @module */
import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { problemOf } from '../api/problem.ts';
import type { Tone } from './tone.ts';
import styles from './message.module.css';

const ICONS = {
  good: CircleCheck,
  warn: TriangleAlert,
  bad: CircleAlert,
  info: Info,
  calm: Info,
} as const;

/** What a message says. */
export interface MessageProps {
  readonly tone?: Tone;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

/** A message in a box. */
export function Message({ tone = 'info', title, children, actions }: MessageProps): ReactNode {
  const Icon = ICONS[tone];
  return (
    <div className={styles['message']} data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon size={18} aria-hidden="true" className={styles['icon']} />
      <div className={styles['text']}>
        {title !== undefined && <strong className={styles['title']}>{title}</strong>}
        {children !== undefined && <div>{children}</div>}
      </div>
      {actions !== undefined && <div className={styles['actions']}>{actions}</div>}
    </div>
  );
}

/** What the API refused: what, and how to fix it. Nothing while there is no error. */
export function ProblemMessage({ error }: { readonly error: unknown }): ReactNode {
  if (error === null || error === undefined) return null;
  const { message, fix } = problemOf(error);
  return (
    <Message tone="bad" title={message}>
      {fix}
    </Message>
  );
}
