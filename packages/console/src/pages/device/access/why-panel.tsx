/** Why the device may do something, or may not. @module */
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Panel } from '../../../parts/panel.tsx';
import { ExplanationShown, useExplain } from '../../access/explanation.tsx';
import { topicTerm } from './topic-term.ts';
import styles from './why-panel.module.css';

/** The panel. */
export function WhyPanel({ id }: { readonly id: string }): ReactNode {
  const [action, setAction] = useState('publish');
  const [topic, setTopic] = useState(`d/${id}/telemetry`);
  const read = topicTerm(topic);
  const { run, isBusy, problem, result } = useExplain();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (read.term === undefined) return;
    const question = { principal: `device:${id}`, action, resource: read.term };
    run({ ...question, resourceText: topic.trim() });
  };
  return (
    <Panel
      title="Why may it, or why not?"
      note="Type a topic: the policy in force answers, with the rules that decide."
    >
      <form onSubmit={submit} className={styles['question']}>
        <NativeSelect
          label="It wants to"
          value={action}
          onChange={(event) => setAction(event.currentTarget.value)}
          data={['publish', 'subscribe']}
        />
        <TextInput
          label="on the topic"
          value={topic}
          error={read.problem}
          onChange={(event) => setTopic(event.currentTarget.value)}
          spellCheck={false}
          className={styles['topic']}
        />
        <Button
          type="submit"
          variant="default"
          loading={isBusy}
          disabled={read.term === undefined}
          className={styles['button']}
        >
          Explain
        </Button>
      </form>
      <ExplanationShown problem={problem} result={result} />
    </Panel>
  );
}
