import type { BackupStatus } from '@holdfast/protocol/api';
/** Backups: where they go, when the last was made, and whether one was tried. @module */
import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { CodeBlock } from '../../parts/copy.tsx';
import { Message } from '../../parts/message.tsx';
import { bytesText } from '../../parts/number-text.ts';
import { Time } from '../../parts/time.tsx';
import { LoadedPanel } from './loaded.tsx';

/** The panel. */
export function BackupsPanel(): ReactNode {
  return (
    <LoadedPanel<BackupStatus>
      path="/v1/backups/status"
      what="the backups"
      title="Backups"
      note="Sealed, without the keys that open them; an erasure reaches them too."
    >
      {(status) =>
        status.destinations.length === 0 ? (
          <Message tone="warn" title="There is no backup.">
            When this disk fails, everything is gone. To make one, and to have more made by
            themselves:
            <CodeBlock
              code={
                'holdfast backup make --to folder:/mnt/backup\nholdfast backup schedule --to folder:/mnt/backup --every 24h'
              }
              label="the commands"
            />
          </Message>
        ) : (
          <Destinations status={status} />
        )
      }
    </LoadedPanel>
  );
}

function Destinations({ status }: { readonly status: BackupStatus }): ReactNode {
  const { destinations, schedule, lastDrill, artifacts } = status;
  return (
    <>
      <Table.ScrollContainer minWidth={560}>
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Destination</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Last backup</Table.Th>
              <Table.Th>Size</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {destinations.map(({ name, lastBackup, failure, hasKeys }) => (
              <Table.Tr key={name}>
                <Table.Td data-label="Destination">
                  <code>{name}</code>
                </Table.Td>
                <Table.Td data-label="State">
                  {failure !== undefined && <Badge tone="bad">failed: {failure.what}</Badge>}
                  {failure === undefined && !hasKeys && (
                    <Badge tone="warn">an erasure has not reached it</Badge>
                  )}
                  {failure === undefined &&
                    hasKeys &&
                    (lastBackup?.artifacts?.missing ? (
                      <Badge tone="warn">
                        {lastBackup.artifacts.missing} artifacts of updates are not in it
                      </Badge>
                    ) : (
                      <Badge tone="good">good</Badge>
                    ))}
                </Table.Td>
                <Table.Td data-label="Last backup">
                  <Time at={lastBackup?.at} />
                </Table.Td>
                <Table.Td data-label="Size">
                  {lastBackup === undefined ? '' : bytesText(lastBackup.bytes)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <p>
        {schedule === undefined
          ? 'None is made by itself: holdfast backup schedule'
          : `One is made every ${schedule.everyHours} hours, to ${schedule.to}.`}
      </p>
      {artifacts?.isLeftOut === true && (
        <p>Artifacts of updates are left out: they are in {artifacts.place}.</p>
      )}
      <p>
        {lastDrill === undefined ? (
          'No restore was ever tried. A backup counts once it was: holdfast backup drill'
        ) : (
          <>
            A restore was tried <Time at={lastDrill.at} />:{' '}
            {lastDrill.isGood ? 'everything was there.' : `${lastDrill.findings} findings.`}
          </>
        )}
      </p>
    </>
  );
}
