import type { WitnessView } from '@holdfast/protocol/api';
/** Who sees the log grow from outside, so that not even an administrator can rewrite it unnoticed. @module */
import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { Empty } from '../../parts/empty.tsx';
import { countText } from '../../parts/number-text.ts';
import { Time } from '../../parts/time.tsx';
import { LoadedPanel } from './loaded.tsx';

/** The panel. */
export function WitnessesPanel(): ReactNode {
  return (
    <LoadedPanel<{ witnesses: WitnessView[] }>
      path="/v1/witnesses"
      what="the witnesses"
      title="Witnesses of the log"
      note="A witness keeps what it has seen: a log that is set back or rewritten shows there."
    >
      {({ witnesses }) =>
        witnesses.length === 0 ? (
          <Empty title="Nobody witnesses the log.">
            Whoever has this machine could replace the whole log. On another machine:{' '}
            <code>holdfast audit witness</code>
          </Empty>
        ) : (
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Witness</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Has seen</Table.Th>
                <Table.Th>When</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {witnesses.map(({ id, name, latest, alarm }) => (
                <Table.Tr key={id}>
                  <Table.Td data-label="Witness">{name}</Table.Td>
                  <Table.Td data-label="State">
                    {alarm === undefined ? (
                      <Badge tone="good">agrees</Badge>
                    ) : (
                      <Badge tone="bad">saw {countText(alarm.size)} entries that are gone</Badge>
                    )}
                  </Table.Td>
                  <Table.Td data-label="Has seen">
                    {latest === undefined ? 'nothing yet' : `${countText(latest.size)} entries`}
                  </Table.Td>
                  <Table.Td data-label="When">
                    <Time at={latest?.at} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )
      }
    </LoadedPanel>
  );
}
