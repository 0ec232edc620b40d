/** What the device may do by itself now, each with the rule that decides. @module */
import type { Explanation } from '@holdfast/protocol/api';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ask } from '../../../api/ask.ts';
import type { Problem } from '../../../api/problem.ts';
import { keyOf } from '../../../api/use-ask.ts';
import { Badge } from '../../../parts/badge.tsx';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { defaultTopics, topicTerm } from './topic-term.ts';
import tables from '../../../parts/table.module.css';

interface Answered {
  readonly action: string;
  readonly topic: string;
  readonly what: string;
  readonly answer: Explanation;
}

/** The panel. */
export function DefaultTopics({
  id,
  mayAsk,
}: {
  readonly id: string;
  /** Whether the person may see the policy. */
  readonly mayAsk: boolean;
}): ReactNode {
  const { data, error } = useQuery<readonly Answered[], Problem>({
    queryKey: [...keyOf('/v1/policy/explain'), id],
    queryFn: ({ signal }) =>
      Promise.all(
        defaultTopics(id).map(async ({ action, topic, what }) => {
          const body = {
            principal: `device:${id}`,
            action,
            resource: topicTerm(topic).term ?? topic,
          };
          const options = { method: 'POST', body, signal } as const;
          return {
            action,
            topic,
            what,
            answer: await ask<Explanation>('/v1/policy/explain', options),
          };
        }),
      ),
    enabled: mayAsk,
  });
  return (
    <Panel
      title="Its own topics"
      note="What the policy in force lets it do, as it is now: with its class, group, state and boot."
      isFlush
    >
      {!mayAsk ? (
        <Empty title="You may not see the policy">
          Ask an administrator for the role auditor or security officer.
        </Empty>
      ) : (
        <ProblemMessage error={error} />
      )}
      {data === undefined && error === null && mayAsk && <Loading what="what it may do" />}
      {data !== undefined && <Answers answers={data} />}
    </Panel>
  );
}

function Answers({ answers }: { readonly answers: readonly Answered[] }): ReactNode {
  return (
    <table className={tables['table']}>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Topic</th>
          <th scope="col">Decision</th>
          <th scope="col" className={tables['wide']}>
            By the rule
          </th>
        </tr>
      </thead>
      <tbody>
        {answers.map(({ action, topic, what, answer: { decision, rules } }) => (
          <tr key={topic}>
            <td>{what}</td>
            <td>
              {action} <code>{topic}</code>
            </td>
            <td>
              <Badge tone={decision === 'permit' ? 'good' : 'bad'}>
                {decision === 'permit' ? 'permitted' : 'refused'}
              </Badge>
            </td>
            <td className={tables['wide']}>
              {rules.length === 0
                ? 'No rule permits it.'
                : rules.map(({ name }) => name).join(' · ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
