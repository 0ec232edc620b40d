import type { ReleaseView } from '@holdfast/protocol/api';
/** Published releases: what each one is for, and how many devices run it. @module */
import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { CodeBlock, CopyText } from '../../parts/copy.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { bytesText, countText } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { SEVERITY_TONES } from './severity.ts';

/** The panel. */
export function ReleasesPanel(): ReactNode {
  const { data, error } = useAsk<{ releases: ReleaseView[] }>('/v1/firmware/releases');
  return (
    <Panel
      title="Releases"
      note="Signed, published, and on the audit log with every version of their metadata."
      isFlush
    >
      <ProblemMessage error={error} />
      {data === undefined && error === null && <Loading what="the releases" />}
      {data?.releases.length === 0 && (
        <Empty title="Nothing has been released yet.">
          Signing keys stay with people, on their own machines, so releases begin at the command
          line:
          <CodeBlock
            code="holdfast fw release thermostat-2.1.0.bin --hardware thermo-a --counter 7"
            label="the command"
          />
        </Empty>
      )}
      {(data?.releases.length ?? 0) > 0 && <Releases releases={data?.releases ?? []} />}
    </Panel>
  );
}

function Releases({ releases }: { readonly releases: readonly ReleaseView[] }): ReactNode {
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table verticalSpacing="xs" horizontalSpacing="lg">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Release</Table.Th>
            <Table.Th>Hardware</Table.Th>
            <Table.Th>Counter</Table.Th>
            <Table.Th>Fixes</Table.Th>
            <Table.Th>Devices</Table.Th>
            <Table.Th>Size</Table.Th>
            <Table.Th>SHA-256</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {releases.toReversed().map((release) => (
            <Release key={release.id} release={release} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Release({ release }: { readonly release: ReleaseView }): ReactNode {
  const { id, facts, length, sha256, isStored, assigned, confirmed } = release;
  const { severity = 'none', fixes = [] } = facts;
  return (
    <Table.Tr>
      <Table.Td data-label="Release">
        <strong>{id}</strong>
        {!isStored && (
          <div>
            <Badge tone="bad">its file is missing here</Badge>
          </div>
        )}
      </Table.Td>
      <Table.Td data-label="Hardware">{facts.hardware.join(', ')}</Table.Td>
      <Table.Td data-label="Counter" className="numbers">
        {facts.counter}
      </Table.Td>
      <Table.Td data-label="Fixes">
        {severity !== 'none' && <Badge tone={SEVERITY_TONES[severity]}>{severity}</Badge>}{' '}
        {fixes.join(', ')}
      </Table.Td>
      <Table.Td data-label="Devices">
        <Link to={`/devices?firmware=${encodeURIComponent(id)}`}>
          {countText(confirmed)} run it
        </Link>
        , {countText(assigned)} are to
      </Table.Td>
      <Table.Td data-label="Size">{bytesText(length)}</Table.Td>
      <Table.Td data-label="SHA-256">
        <CopyText value={sha256} shown={`${sha256.slice(0, 12)}…`} label="the SHA-256" />
      </Table.Td>
    </Table.Tr>
  );
}
