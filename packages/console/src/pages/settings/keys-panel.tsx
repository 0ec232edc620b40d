import type { KeyStatus } from '@holdfast/protocol/api';
/** The keys of the data folder: who keeps them, how old they are, and a new one. @module */
import { Button, Progress, Table } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { countText } from '../../parts/number-text.ts';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { LoadedPanel } from './loaded.tsx';

/** The panel. */
export function KeysPanel(): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const { run, isBusy, problem } = useAct(() => ask('/v1/keys/rotate', { method: 'POST' }), {
    changes: [keyOf('/v1/keys')],
    onDone: () => setIsAsking(false),
  });
  return (
    <LoadedPanel<KeyStatus>
      path="/v1/keys"
      what="the keys"
      title="Keys of the data"
      note="Everything on the disk is sealed. A key-encryption key wraps the keys that seal, one of them for each device."
      actions={
        <Button variant="default" onClick={() => setIsAsking(true)}>
          Make a new key-encryption key
        </Button>
      }
    >
      {(status) => (
        <>
          <KeyFacts status={status} />
          <Purposes purposes={status.purposes} />
          <Confirm
            isOpen={isAsking}
            title="Make a new key-encryption key"
            action="Make it"
            isBusy={isBusy}
            problem={<ProblemMessage error={problem} />}
            onConfirm={() => run(undefined)}
            onClose={() => setIsAsking(false)}
          >
            All data keys are wrapped again in the background, while the server goes on. The version
            before is destroyed when nothing depends on it any more, backups included.
          </Confirm>
        </>
      )}
    </LoadedPanel>
  );
}

function KeyFacts({ status }: { readonly status: KeyStatus }): ReactNode {
  const { custody, escrow, versions, rotation } = status;
  const newest = versions.at(-1);
  return (
    <>
      {escrow === undefined && !custody.isInToken && (
        <Message tone="warn" title="There are no recovery shares.">
          Who loses what opens the data folder loses all data. On the server:{' '}
          <code>holdfast keys escrow</code> makes shares, of which any two of three open it.
        </Message>
      )}
      <Facts>
        <Fact name="Kept by">{custody.name}</Fact>
        <Fact name="Key-encryption key">
          version {newest?.version}, made <Time at={newest?.createdAt} />
        </Fact>
        {escrow !== undefined && (
          <Fact name="Recovery shares">
            {escrow.threshold} of {escrow.count}, made <Time at={escrow.madeAt} />
          </Fact>
        )}
        {rotation !== undefined && (
          <Fact name="Rotation under way">
            {countText(rotation.left)} of {countText(rotation.total)} data keys are left
            <Progress
              value={(100 * (rotation.total - rotation.left)) / Math.max(1, rotation.total)}
              aria-label="Data keys that are wrapped again"
            />
          </Fact>
        )}
      </Facts>
    </>
  );
}

function Purposes({ purposes }: Pick<KeyStatus, 'purposes'>): ReactNode {
  return (
    <details>
      <summary>Data keys by purpose</summary>
      <Table.ScrollContainer minWidth={520}>
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Purpose</Table.Th>
              <Table.Th>Sealing</Table.Th>
              <Table.Th>Opening only</Table.Th>
              <Table.Th>Destroyed</Table.Th>
              <Table.Th>Used up</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody className="numbers">
            {purposes.map(({ purpose, current, former, destroyed, worn }) => (
              <Table.Tr key={purpose}>
                <Table.Td data-label="Purpose">{purpose}</Table.Td>
                <Table.Td data-label="Sealing">{countText(current)}</Table.Td>
                <Table.Td data-label="Opening only">{countText(former)}</Table.Td>
                <Table.Td data-label="Destroyed">{countText(destroyed)}</Table.Td>
                <Table.Td data-label="Used up">{Math.ceil(worn * 100)} %</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </details>
  );
}
