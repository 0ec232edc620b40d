import type { RolloutDeviceList, RolloutDeviceStateName } from '@holdfast/protocol/api';
/** The devices of a rollout, by state. @module */
import { Select, Table } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { Empty } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { HEALTH } from './rollout-text.ts';

/** The first of each state are shown; the command line lists all of them. */
const SHOWN = 100;

/** The panel. */
export function RolloutDevices({ id }: { readonly id: string }): ReactNode {
  const [state, setState] = useState<string | null>(null);
  const query = `limit=${SHOWN}${state === null ? '' : `&state=${state}`}`;
  const { data, error } = useAsk<RolloutDeviceList>(`/v1/rollouts/${id}/devices?${query}`, {
    everyMs: 10_000,
  });
  const devices = data?.devices ?? [];
  return (
    <Panel
      title="Devices"
      actions={
        <Select
          aria-label="Only devices in this state"
          placeholder="in any state"
          data={HEALTH.flatMap(({ states }) => [...states])}
          value={state}
          onChange={setState}
          clearable
        />
      }
      isFlush
    >
      <ProblemMessage error={error} />
      {data !== undefined && devices.length === 0 && <Empty title="No device is in this state." />}
      {devices.length > 0 && (
        <Table.ScrollContainer minWidth={560}>
          <Table verticalSpacing="xs" horizontalSpacing="lg">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Device</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Stage</Table.Th>
                <Table.Th>Since</Table.Th>
                <Table.Th>Why</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {devices.map((device) => (
                <Table.Tr key={device.device}>
                  <Table.Td data-label="Device">
                    <Link to={`/devices/${encodeURIComponent(device.device)}/firmware`}>
                      {device.device}
                    </Link>
                  </Table.Td>
                  <Table.Td data-label="State">
                    <Badge tone={toneOf(device.state)}>{device.state}</Badge>{' '}
                    {device.isAsked && 'asks its owner'} {device.isOverdue && 'overdue'}{' '}
                    {device.isSilent && 'silent'}
                  </Table.Td>
                  <Table.Td data-label="Stage" className="numbers">
                    {device.stage === undefined ? '' : device.stage + 1}
                  </Table.Td>
                  <Table.Td data-label="Since">
                    <Time at={device.since} />
                  </Table.Td>
                  <Table.Td data-label="Why">{device.why}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {data?.next !== undefined && (
        <Empty title={`The first ${SHOWN} are shown.`}>
          Those in trouble, all of them: <code>holdfast rollout show {id} --devices</code>
        </Empty>
      )}
    </Panel>
  );
}

function toneOf(state: RolloutDeviceStateName): (typeof HEALTH)[number]['tone'] {
  return HEALTH.find(({ states }) => (states as readonly string[]).includes(state))?.tone ?? 'calm';
}
