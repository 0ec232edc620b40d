import type { PolicyDiff, SetPolicyView } from '@holdfast/protocol/api';
/** Changes the policy: first what would be decided otherwise, then the change. @module */
import { Button, Group, Stack, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { countText, counted } from '../../parts/number-text.ts';
import { useAct } from '../../parts/use-act.tsx';
import styles from './access.module.css';

/** The editor. What it sets has been compared first. */
export function PolicyEditor({
  text,
  onClose,
}: {
  readonly text: string;
  readonly onClose: () => void;
}): ReactNode {
  const [draft, setDraft] = useState(text);
  const [isAsking, setIsAsking] = useState(false);
  const diff = useAct(() =>
    ask<PolicyDiff>('/v1/policy/diff', { method: 'POST', body: { text: draft } }),
  );
  const set = useAct(
    (reason: string) =>
      ask<SetPolicyView>('/v1/policy', { method: 'POST', body: { text: draft, reason } }),
    { changes: [keyOf('/v1/policy')], onDone: onClose },
  );
  const change = (value: string): void => {
    setDraft(value);
    diff.reset();
  };
  return (
    <Stack gap="md">
      <Textarea
        label="Policy, in Cedar"
        value={draft}
        onChange={(event) => change(event.currentTarget.value)}
        autosize
        minRows={16}
        maxRows={30}
        spellCheck={false}
        ff="monospace"
        fz="0.8125rem"
      />
      <ProblemMessage error={diff.problem} />
      <div aria-live="polite">{diff.result !== undefined && <Changes diff={diff.result} />}</div>
      <Group>
        <Button
          variant="default"
          disabled={draft === text}
          loading={diff.isBusy}
          onClick={() => diff.run(undefined)}
        >
          See what would change
        </Button>
        <Button disabled={diff.result === undefined} onClick={() => setIsAsking(true)}>
          Set it
        </Button>
        <Button variant="subtle" color="gray" onClick={onClose}>
          Leave it as it is
        </Button>
      </Group>
      <Confirm
        isOpen={isAsking}
        title="Set the policy"
        action="Set it"
        asksReason
        isBusy={set.isBusy}
        problem={<ProblemMessage error={set.problem} />}
        onConfirm={set.run}
        onClose={() => setIsAsking(false)}
      >
        It holds at once, for connections that are open as well. The version before stays in the
        list, and can be set again.
      </Confirm>
    </Stack>
  );
}

function Changes({ diff }: { readonly diff: PolicyDiff }): ReactNode {
  const { tried, changes, warnings = [] } = diff;
  return (
    <Message
      tone={changes.length > 0 || warnings.length > 0 ? 'warn' : 'good'}
      title={`Of the last ${counted(tried, 'decision')}, ${countText(changes.length)} would be otherwise.`}
    >
      <ul className={styles['changes']}>
        {changes.map(({ principal, action, resource, becomes, count }) => (
          <li key={`${principal}/${action}/${resource}`}>
            <code>{principal}</code> <code>{action}</code> <code>{resource}</code>: becomes{' '}
            <strong>{becomes === 'permit' ? 'permitted' : 'refused'}</strong> (asked{' '}
            {counted(count, 'time')})
          </li>
        ))}
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </Message>
  );
}
