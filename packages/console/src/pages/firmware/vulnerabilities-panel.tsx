import type { VulnerabilityReport } from '@holdfast/protocol/api';
/** Known vulnerabilities of components that devices run. @module */
import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { Empty } from '../../parts/empty.tsx';
import { counted } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { SEVERITY_TONES } from './severity.ts';

/** The panel. */
export function VulnerabilitiesPanel(): ReactNode {
  const { data } = useAsk<VulnerabilityReport>('/v1/firmware/vulnerabilities');
  if (data === undefined) return null;
  const found = data.releases.filter(({ count, problem }) => count > 0 || problem !== undefined);
  return (
    <Panel
      title="Known vulnerabilities"
      note={
        data.list === undefined ? (
          'The bills of materials of releases are compared with a list that you import.'
        ) : (
          <>
            By a list of {counted(data.list.count, 'entry', 'entries')}, imported{' '}
            <Time at={data.list.importedAt} />.
          </>
        )
      }
      isFlush
    >
      {data.list === undefined && (
        <Empty title="No list has been imported.">
          Without one, nothing can be known here: <code>holdfast fw vulnerabilities import</code>{' '}
          takes OSV JSON, offline.
        </Empty>
      )}
      {data.list !== undefined && found.length === 0 && (
        <Empty title="No release has a component with a known vulnerability." />
      )}
      {found.length > 0 && (
        <Table.ScrollContainer minWidth={640}>
          <Table verticalSpacing="xs" horizontalSpacing="lg">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Release</Table.Th>
                <Table.Th>Severity</Table.Th>
                <Table.Th>Component</Table.Th>
                <Table.Th>What</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.map((release) => (
                <Findings key={release.release} found={release} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Panel>
  );
}

function Findings({
  found,
}: {
  readonly found: VulnerabilityReport['releases'][number];
}): ReactNode {
  const { release, devices, findings, problem } = found;
  return (
    <>
      {problem !== undefined && (
        <Table.Tr>
          <Table.Td data-label="Release">{release}</Table.Td>
          <Table.Td data-label="Problem" colSpan={3}>
            {problem}
          </Table.Td>
        </Table.Tr>
      )}
      {findings.map(({ component, version, id, severity, summary }) => (
        <Table.Tr key={`${id}/${component}`}>
          <Table.Td data-label="Release">
            {release}, on {counted(devices, 'device')}
          </Table.Td>
          <Table.Td data-label="Severity">
            <Badge tone={SEVERITY_TONES[severity]}>{severity}</Badge>
          </Table.Td>
          <Table.Td data-label="Component">
            {component} {version}
          </Table.Td>
          <Table.Td data-label="What">
            <strong>{id}</strong> {summary}
          </Table.Td>
        </Table.Tr>
      ))}
    </>
  );
}
