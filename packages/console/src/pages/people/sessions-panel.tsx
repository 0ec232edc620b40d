import type { SessionView } from '@holdfast/protocol/api';
/** Who is signed in now. @module */
import { Button, Table } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf, useAsk } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Empty } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';

/** The panel. */
export function SessionsPanel(): ReactNode {
  const sessions = useAsk<{ sessions: SessionView[] }>('/v1/sessions');
  const [chosen, setChosen] = useState<SessionView | undefined>();
  const { run, isBusy, problem } = useAct(
    ({ id }: SessionView) => ask(`/v1/sessions/${id}`, { method: 'DELETE' }),
    { changes: [keyOf('/v1/sessions')], onDone: () => setChosen(undefined) },
  );
  if (sessions.error?.status === 403) return null;
  return (
    <Panel
      title="Signed in now"
      note="A session that nobody recognizes: end it, then reset how that person signs in."
      isFlush
    >
      <ProblemMessage error={sessions.error} />
      {sessions.data?.sessions.length === 0 && <Empty title="Nobody is signed in." />}
      <Table.ScrollContainer minWidth={640}>
        <Table verticalSpacing="xs" horizontalSpacing="lg">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Who</Table.Th>
              <Table.Th>From</Table.Th>
              <Table.Th>By</Table.Th>
              <Table.Th>Signed in</Table.Th>
              <Table.Th>Last used</Table.Th>
              <Table.Th aria-label="Acts" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sessions.data?.sessions.map((session) => (
              <Table.Tr key={session.id}>
                <Table.Td data-label="Who">{personName(session.principal)}</Table.Td>
                <Table.Td data-label="From">
                  <code>{session.address}</code>
                </Table.Td>
                <Table.Td data-label="By">{session.by.replaceAll('-', ' ')}</Table.Td>
                <Table.Td data-label="Signed in">
                  <Time at={session.startedAt} />
                </Table.Td>
                <Table.Td data-label="Last used">
                  <Time at={session.lastUsedAt} />
                </Table.Td>
                <Table.Td>
                  {session.isCurrent ? (
                    'this one'
                  ) : (
                    <Button size="compact-sm" variant="default" onClick={() => setChosen(session)}>
                      End
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Confirm
        isOpen={chosen !== undefined}
        title="End this session"
        action="End it"
        isBusy={isBusy}
        problem={<ProblemMessage error={problem} />}
        onConfirm={() => chosen && run(chosen)}
        onClose={() => setChosen(undefined)}
      >
        {personName(chosen?.principal ?? '')} has to sign in again there.
      </Confirm>
    </Panel>
  );
}
