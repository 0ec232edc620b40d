import type { RolloutView } from '@holdfast/protocol/api';
/** Rollouts: which releases go to how many devices, and how they fare. @module */
import { Button, Table } from '@mantine/core';
import { Rocket } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Page } from '../../parts/page.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { HealthBar } from './health-bar.tsx';
import { NewRolloutDialog } from './new-rollout-dialog.tsx';
import { ROLLOUT_TONES } from './rollout-text.ts';

/** The page. */
export function RolloutsPage(): ReactNode {
  const { data, error } = useAsk<{ rollouts: RolloutView[] }>('/v1/rollouts', { everyMs: 5_000 });
  const [isMaking, setIsMaking] = useState(false);
  return (
    <Page
      title="Rollouts"
      intro="A release reaches the fleet in stages, and stops by itself when updated devices fail, go back, fall silent or misbehave."
      actions={
        <Button leftSection={<Rocket size={16} />} onClick={() => setIsMaking(true)}>
          Plan a rollout
        </Button>
      }
    >
      <ProblemMessage error={error} />
      <Panel title="Rollouts" isFlush>
        {data === undefined && error === null && <Loading what="the rollouts" />}
        {data?.rollouts.length === 0 && (
          <Empty title="Nothing has been rolled out yet.">
            Plan a rollout of a signed release: you see who would get it before anything happens.
          </Empty>
        )}
        {(data?.rollouts.length ?? 0) > 0 && <Rollouts rollouts={data?.rollouts ?? []} />}
      </Panel>
      <NewRolloutDialog isOpen={isMaking} onClose={() => setIsMaking(false)} />
    </Page>
  );
}

function Rollouts({ rollouts }: { readonly rollouts: readonly RolloutView[] }): ReactNode {
  return (
    <Table.ScrollContainer minWidth={680}>
      <Table verticalSpacing="xs" horizontalSpacing="lg">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Release</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Stage</Table.Th>
            <Table.Th>Devices</Table.Th>
            <Table.Th>Since</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rollouts.map(({ id, release, state, stateReason, stateAt, stage, plan, counts }) => (
            <Table.Tr key={id}>
              <Table.Td data-label="Release">
                <Link to={`/rollouts/${id}`}>{release}</Link>
              </Table.Td>
              <Table.Td data-label="State">
                <Badge tone={ROLLOUT_TONES[state]}>{state.replaceAll('-', ' ')}</Badge>
                {state === 'paused' && <div>{stateReason}</div>}
              </Table.Td>
              <Table.Td data-label="Stage" className="numbers">
                {Math.min(stage + 1, plan.stages.length)} of {plan.stages.length}
              </Table.Td>
              <Table.Td data-label="Devices">
                <HealthBar counts={counts} />
              </Table.Td>
              <Table.Td data-label="Since">
                <Time at={stateAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
