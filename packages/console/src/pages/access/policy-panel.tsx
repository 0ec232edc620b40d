import type { PolicyVersionView, PolicyView } from '@holdfast/protocol/api';
/** The policy in force, its versions, and how it is changed. @module */
import { Button, Table } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { Time } from '../../parts/time.tsx';
import { PolicyEditor } from './policy-editor.tsx';
import styles from './access.module.css';

/** The panel. */
export function PolicyPanel(): ReactNode {
  const policy = useAsk<PolicyView>('/v1/policy');
  const versions = useAsk<{ versions: PolicyVersionView[] }>('/v1/policy/versions');
  const [isEditing, setIsEditing] = useState(false);
  if (policy.error?.status === 403) return null;
  if (policy.data === undefined) {
    return (
      <Panel title="Policy">
        {policy.error === null ? (
          <Loading what="the policy" />
        ) : (
          <ProblemMessage error={policy.error} />
        )}
      </Panel>
    );
  }
  const { version, text } = policy.data;
  return (
    <Panel
      title="Policy in force"
      note={
        <>
          Version {version.number}, by {personName(version.author)}, <Time at={version.at} />:{' '}
          {version.reason}
        </>
      }
      actions={
        !isEditing && (
          <Button variant="default" onClick={() => setIsEditing(true)}>
            Change it
          </Button>
        )
      }
    >
      {isEditing ? (
        <PolicyEditor text={text} onClose={() => setIsEditing(false)} />
      ) : (
        <pre className={styles['text']} tabIndex={0} aria-label="the policy">
          {text}
        </pre>
      )}
      <Versions versions={versions.data?.versions ?? []} />
    </Panel>
  );
}

function Versions({ versions }: { readonly versions: readonly PolicyVersionView[] }): ReactNode {
  if (versions.length < 2) return null;
  return (
    <details>
      <summary>{versions.length} versions</summary>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Version</Table.Th>
            <Table.Th>By</Table.Th>
            <Table.Th>When</Table.Th>
            <Table.Th>Why</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {versions.map(({ number, author, at, reason }) => (
            <Table.Tr key={number}>
              <Table.Td data-label="Version">{number}</Table.Td>
              <Table.Td data-label="By">{personName(author)}</Table.Td>
              <Table.Td data-label="When">
                <Time at={at} />
              </Table.Td>
              <Table.Td data-label="Why">{reason}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </details>
  );
}
