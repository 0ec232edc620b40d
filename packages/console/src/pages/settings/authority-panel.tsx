import type { AuthorityStatus, GenerationView } from '@holdfast/protocol/api';
/** The certificate authority of devices, servers and apps. @module */
import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { CopyText } from '../../parts/copy.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { countText } from '../../parts/number-text.ts';
import { Time } from '../../parts/time.tsx';
import type { Tone } from '../../parts/tone.ts';
import { LoadedPanel } from './loaded.tsx';

const STATES: Readonly<Record<GenerationView['state'], { tone: Tone; means: string }>> = {
  next: { tone: 'info', means: 'published, does not issue yet' },
  issuing: { tone: 'good', means: 'issues' },
  trusted: { tone: 'calm', means: 'still trusted, issues no more' },
  ended: { tone: 'calm', means: 'counts no more' },
};

const NEXT_STEPS: Readonly<Record<AuthorityStatus['next'], string>> = {
  prepare: 'No rotation is under way. To begin one: holdfast ca rotate --prepare',
  switch: 'The next generation is published. When devices know it: holdfast ca rotate --switch',
  finish: 'When nothing uses the one before any more: holdfast ca rotate --finish',
};

/** The panel. */
export function AuthorityPanel(): ReactNode {
  return (
    <LoadedPanel<AuthorityStatus>
      path="/v1/ca"
      what="the certificate authority"
      title="Certificate authority"
      note="It issues to devices, to this server and to apps, and renews by itself."
    >
      {({ root, custody, generations, next }) => (
        <>
          <Facts>
            <Fact name="Root">
              <CopyText
                value={root.fingerprint}
                shown={`${root.fingerprint.slice(0, 16)}…`}
                label="the fingerprint of the root"
              />{' '}
              ends <Time at={root.notAfter} />; its key is{' '}
              {root.isKeyHere ? 'on this server' : 'kept offline'}
            </Fact>
            <Fact name="Issuing keys">{custody}</Fact>
            <Fact name="Rotation">{NEXT_STEPS[next]}</Fact>
          </Facts>
          <Generations generations={generations} />
        </>
      )}
    </LoadedPanel>
  );
}

function Generations({
  generations,
}: {
  readonly generations: readonly GenerationView[];
}): ReactNode {
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Generation</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Made</Table.Th>
            <Table.Th>Certificates in use</Table.Th>
            <Table.Th>Ends</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {generations.map(({ number, state, madeAt, inUse, devices }) => (
            <Table.Tr key={number}>
              <Table.Td data-label="Generation">{number}</Table.Td>
              <Table.Td data-label="State">
                <Badge tone={STATES[state].tone}>{STATES[state].means}</Badge>
              </Table.Td>
              <Table.Td data-label="Made">
                <Time at={madeAt} />
              </Table.Td>
              <Table.Td data-label="In use">{countText(inUse.certificates)}</Table.Td>
              <Table.Td data-label="Ends">
                <Time at={devices.notAfter} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
