import type { ApprovalView, Me } from '@holdfast/protocol/api';
/** Requests that wait for a second person. Nothing is shown while there are none. @module */
import { Button, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf, useAsk } from '../../api/use-ask.ts';
import { useMe } from '../../api/use-me.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';
import styles from './access.module.css';

/** The panel. */
export function ApprovalsPanel(): ReactNode {
  const me = useMe();
  const approvals = useAsk<{ approvals: ApprovalView[] }>('/v1/approvals', { everyMs: 15_000 });
  const waiting = approvals.data?.approvals ?? [];
  if (waiting.length === 0) return null;
  return (
    <Panel
      title="Waiting for a second person"
      note="Approve only what you understand, and after asking whoever wants it."
    >
      {waiting.map((approval) => (
        <Approval key={approval.id} approval={approval} me={me.data} />
      ))}
    </Panel>
  );
}

function Approval({
  approval,
  me,
}: {
  readonly approval: ApprovalView;
  readonly me: Me | undefined;
}): ReactNode {
  const { id, principal, action, resource, request, body, askedAt, expiresAt } = approval;
  const { run, isBusy, problem } = useAct(
    (what: 'approve' | 'refuse') => ask(`/v1/approvals/${id}/${what}`, { method: 'POST' }),
    { changes: [keyOf('/v1/approvals')] },
  );
  const isOwn = principal === me?.principal;
  const isApproved = approval.approvedBy !== undefined;
  return (
    <Message
      tone="info"
      title={
        <>
          {personName(principal)} wants <code>{action}</code> on <code>{resource}</code>
        </>
      }
    >
      Asked <Time at={askedAt} />, ends <Time at={expiresAt} />.
      <details>
        <summary>What would be done</summary>
        <pre className={styles['rule']}>{`${request}\n${body}`}</pre>
      </details>
      <ProblemMessage error={problem} />
      {isApproved && <p>Approved by {approval.approvedBy}: make the request again now.</p>}
      {isOwn && !isApproved && <p>It is your own request: somebody else has to decide.</p>}
      {!isOwn && !isApproved && (
        <Group mt="xs">
          <Button loading={isBusy} onClick={() => run('approve')}>
            Approve
          </Button>
          <Button variant="default" loading={isBusy} onClick={() => run('refuse')}>
            Refuse
          </Button>
        </Group>
      )}
    </Message>
  );
}
