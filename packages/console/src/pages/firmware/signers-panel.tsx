import type { FirmwareStatus } from '@holdfast/protocol/api';
/** Every role of the update repositories: who signs it, and when it ends. @module */
import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';

/** The panel. */
export function SignersPanel(): ReactNode {
  const { data, error } = useAsk<FirmwareStatus>('/v1/firmware');
  return (
    <Panel
      title="Who signs, and until when"
      note="What ends is not accepted by devices any more: that is how a frozen update shows."
      isFlush
    >
      <ProblemMessage error={error} />
      {data === undefined && error === null && <Loading what="the roles" />}
      {data?.isInitialized === false && (
        <Empty title="The repositories have no root yet.">
          Two or three people make their keys, and sign the first root:{' '}
          <code>holdfast fw init --help</code>
        </Empty>
      )}
      {data?.isInitialized === true && (
        <Table.ScrollContainer minWidth={640}>
          <Table verticalSpacing="xs" horizontalSpacing="lg">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Role</Table.Th>
                <Table.Th>Version</Table.Th>
                <Table.Th>Signed by</Table.Th>
                <Table.Th>Ends</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.roles.map((role) => (
                <Table.Tr key={`${role.repository}/${role.role}`}>
                  <Table.Td data-label="Role">
                    {role.repository} {role.role}
                  </Table.Td>
                  <Table.Td data-label="Version" className="numbers">
                    {role.version}
                  </Table.Td>
                  <Table.Td data-label="Signed by">
                    {role.threshold} of{' '}
                    {role.signers.map(({ name }) => name || 'this server').join(', ')}
                  </Table.Td>
                  <Table.Td data-label="Ends">
                    <Time at={role.expiresAt} />{' '}
                    {role.isEndingSoon && <Badge tone="bad">act now</Badge>}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Panel>
  );
}
