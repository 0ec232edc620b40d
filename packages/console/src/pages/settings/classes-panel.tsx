import type { ClassView } from '@holdfast/protocol/api';
/** What each class asks of its devices, and how long what they send is kept. @module */
import { Button, Table } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { problemOf } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';
import { ProblemMessage } from '../../parts/message.tsx';
import { countText } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { ClassDialog } from './class-dialog.tsx';
import { keptText, lateText } from './class-text.ts';

const CLASSES = ['sensor', 'actuator', 'gateway', 'service'] as const;

/** The panel. */
export function ClassesPanel(): ReactNode {
  const [chosen, setChosen] = useState<ClassView | undefined>();
  const answers = useQueries({
    queries: CLASSES.map((name) => ({
      queryKey: keyOf(`/v1/classes/${name}`),
      queryFn: () => ask<ClassView>(`/v1/classes/${name}`),
    })),
  });
  const error = answers.find((answer) => answer.error !== null)?.error;
  if (error !== undefined && error !== null && problemOf(error).status === 403) return null;
  const classes = answers.flatMap(({ data }) => data ?? []);
  return (
    <Panel
      title="Classes and retention"
      note="What the devices of a class must show, and how long what they send is kept."
      isFlush
    >
      <ProblemMessage error={error} />
      <Table.ScrollContainer minWidth={640}>
        <Table verticalSpacing="xs" horizontalSpacing="lg">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Class</Table.Th>
              <Table.Th>Devices</Table.Th>
              <Table.Th>Must show</Table.Th>
              <Table.Th>Late messages</Table.Th>
              <Table.Th>Kept</Table.Th>
              <Table.Th aria-label="Acts" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {classes.map((view) => (
              <Table.Tr key={view.name}>
                <Table.Td data-label="Class">{view.name}</Table.Td>
                <Table.Td data-label="Devices">{countText(view.deviceCount)}</Table.Td>
                <Table.Td data-label="Must show">
                  certificate{view.requiresApiKey && ' and API key'}
                </Table.Td>
                <Table.Td data-label="Late ones">{lateText(view)}</Table.Td>
                <Table.Td data-label="Kept">{keptText(view)}</Table.Td>
                <Table.Td>
                  <Button
                    size="compact-sm"
                    variant="default"
                    aria-label={`Change ${view.name}`}
                    onClick={() => setChosen(view)}
                  >
                    Change
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {chosen !== undefined && (
        <ClassDialog key={chosen.name} view={chosen} onClose={() => setChosen(undefined)} />
      )}
    </Panel>
  );
}
