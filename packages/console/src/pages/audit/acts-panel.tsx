import type { ActList, ActView } from '@holdfast/protocol/api';
/** Who did what, newest first, as it happens. @module */
import { Button, Table, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { useLive } from '../../live/use-live.tsx';
import { ActName } from '../../parts/act-name.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { factTexts, whoText } from './act-text.ts';
import { isFound } from './find-acts.ts';
import styles from './audit.module.css';

const PAGE = 100;

/** The panel. */
export function ActsPanel(): ReactNode {
  const queries = useQueryClient();
  const [words, setWords] = useState('');
  const acts = useInfiniteQuery({
    queryKey: keyOf('/v1/audit/acts'),
    queryFn: ({ pageParam, signal }) =>
      ask<ActList>(`/v1/audit/acts?limit=${PAGE}${pageParam && `&before=${pageParam}`}`, {
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ acts }) =>
      acts.length < PAGE ? undefined : String(acts.at(-1)?.index ?? ''),
  });
  useLive('act', () => void queries.invalidateQueries({ queryKey: keyOf('/v1/audit/acts') }));
  const all = acts.data?.pages.flatMap((page) => page.acts) ?? [];
  const shown = all.filter((act) => isFound(act, words));
  return (
    <Panel
      title="Acts"
      note="Everything that people, programs and the server itself have changed."
      actions={
        <TextInput
          aria-label="Find acts by who, what or which"
          placeholder="Who, what, which…"
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
      }
      isFlush
    >
      <ProblemMessage error={acts.error} />
      {acts.isPending && <Loading what="the acts" />}
      {acts.data !== undefined && shown.length === 0 && (
        <Empty title={words === '' ? 'Nothing was done yet.' : 'No act has these words.'}>
          {acts.hasNextPage && 'Only the newest are looked at: show older ones below.'}
        </Empty>
      )}
      {shown.length > 0 && <Acts acts={shown} />}
      {acts.hasNextPage && (
        <div className={styles['more']}>
          <Button
            variant="default"
            loading={acts.isFetchingNextPage}
            onClick={() => void acts.fetchNextPage()}
          >
            Show older ones
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Acts({ acts }: { readonly acts: readonly ActView[] }): ReactNode {
  return (
    <Table.ScrollContainer minWidth={820}>
      <Table verticalSpacing="xs" horizontalSpacing="lg" layout="fixed" className={styles['acts']}>
        <colgroup>
          <col className={styles['when']} />
          <col className={styles['who']} />
          <col className={styles['what']} />
          <col className={styles['which']} />
          <col />
          <col className={styles['entry']} />
        </colgroup>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>Which</Table.Th>
            <Table.Th>Why, and how</Table.Th>
            <Table.Th>Entry</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {acts.map((act) => (
            <Table.Tr key={act.index}>
              <Table.Td data-label="When" className={styles['time']}>
                <Time at={act.at} />
              </Table.Td>
              <Table.Td data-label="Who">{whoText(act)}</Table.Td>
              <Table.Td data-label="What">
                <ActName action={act.action} />
              </Table.Td>
              <Table.Td data-label="Which">
                <Target act={act} />
              </Table.Td>
              <Table.Td data-label="Why, and how">
                {act.reason}
                <Facts texts={factTexts(act)} />
              </Table.Td>
              <Table.Td data-label="Entry" className="numbers">
                {act.index}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** How many facts stand there at once; the others come when somebody asks for them. */
const FACTS_SHOWN = 3;
/** A hash or a plan is for who asks for it. */
const FACT_LENGTH_MAX = 60;

function Facts({ texts }: { readonly texts: readonly string[] }): ReactNode {
  const lines = (some: readonly string[]): ReactNode =>
    some.map((text) => (
      <div key={text} className={styles['fact']}>
        {text}
      </div>
    ));
  const short = texts.filter((text) => text.length <= FACT_LENGTH_MAX).slice(0, FACTS_SHOWN);
  const rest = texts.filter((text) => !short.includes(text));
  return (
    <>
      {lines(short)}
      {rest.length > 0 && (
        <details>
          <summary className={styles['fact']}>{rest.length} more</summary>
          {lines(rest)}
        </details>
      )}
    </>
  );
}

function Target({ act }: { readonly act: ActView }): ReactNode {
  const { action, target } = act;
  if (target === undefined) return null;
  if (!action.startsWith('device.')) return <code>{target}</code>;
  return <Link to={`/devices/${encodeURIComponent(target)}`}>{target}</Link>;
}
