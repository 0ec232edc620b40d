import type { Explanation } from '@holdfast/protocol/api';
/** Asks the policy why somebody may do something, or may not, and shows what it says. @module */
import type { ReactNode } from 'react';
import { ask } from '../../api/ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { type ActState, useAct } from '../../parts/use-act.tsx';
import { missingText } from './questions.ts';
import styles from './access.module.css';

/** Who does what on what, as the policy names them. */
export interface Question {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** What `resource` is called where the answer is shown, when that is another name. */
  readonly resourceText?: string;
}

interface Explained {
  readonly asked: Question;
  readonly answer: Explanation;
}

/** Asks the policy in force. */
export function useExplain(): ActState<Question, Explained> {
  return useAct(async (asked) => {
    const { principal, action, resource } = asked;
    const body = { principal, action, resource };
    return {
      asked,
      answer: await ask<Explanation>('/v1/policy/explain', { method: 'POST', body }),
    };
  });
}

/** What the policy says, with the rules that decide; it is read out when it comes. */
export function ExplanationShown({
  problem,
  result,
}: Pick<ActState<Question, Explained>, 'problem' | 'result'>): ReactNode {
  return (
    <>
      <ProblemMessage error={problem} />
      <div aria-live="polite">{result !== undefined && <Answer {...result} />}</div>
    </>
  );
}

function Answer({ asked, answer }: Explained): ReactNode {
  const isPermitted = answer.decision === 'permit';
  return (
    <div className={styles['answer']}>
      <p>
        <Badge tone={isPermitted ? 'good' : 'bad'}>{isPermitted ? 'permitted' : 'refused'}</Badge>{' '}
        <code>{asked.principal}</code> {isPermitted ? 'may' : 'may not'} <code>{asked.action}</code>{' '}
        on <code>{asked.resourceText ?? asked.resource}</code>.{' '}
        {answer.missing !== undefined && missingText(answer.missing)}
        {answer.rules.length === 0 && 'No rule permits it.'}
      </p>
      {answer.rules.map(({ name, line, text }) => (
        <details key={name} open={answer.rules.length === 1}>
          <summary>
            {name} <span className={styles['line']}>line {line}</span>
          </summary>
          <pre className={styles['rule']}>{text}</pre>
        </details>
      ))}
    </div>
  );
}
