/** Asks the policy why somebody may do something, or may not. @module */
import { Autocomplete, Button, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Panel } from '../../parts/panel.tsx';
import { ExplanationShown, type Question, useExplain } from './explanation.tsx';
import { COMMON_ACTIONS } from './questions.ts';
import styles from './access.module.css';

/** The box. */
export function ExplainPanel(): ReactNode {
  const [question, setQuestion] = useState<Question>({ principal: '', action: '', resource: '' });
  const { run, isBusy, problem, result } = useExplain();
  const change = (part: Partial<Question>): void => setQuestion({ ...question, ...part });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    run(question);
  };
  return (
    <Panel
      title="Why may it, or why not?"
      note="Asks the policy in force, and shows the rules that decide."
    >
      <form onSubmit={submit} className={styles['question']}>
        <TextInput
          label="Who"
          description="person:ann, role:viewer, device:pump-1"
          value={question.principal}
          onChange={(event) => change({ principal: event.currentTarget.value.trim() })}
          required
          spellCheck={false}
        />
        <Autocomplete
          label="does what"
          description="publish, device:revoke, …"
          data={[...COMMON_ACTIONS]}
          value={question.action}
          onChange={(action) => change({ action })}
          required
          spellCheck={false}
        />
        <TextInput
          label="on what"
          description="topic:pump-1/telemetry, server"
          value={question.resource}
          onChange={(event) => change({ resource: event.currentTarget.value.trim() })}
          required
          spellCheck={false}
        />
        <Button type="submit" loading={isBusy} variant="default">
          Explain
        </Button>
      </form>
      <ExplanationShown problem={problem} result={result} />
    </Panel>
  );
}
